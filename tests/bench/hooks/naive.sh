#!/bin/sh
# The same in the shell.
while IFS= read -r request; do
  case $request in *'"nobody@example.test"}') echo reject ;; *) echo ok ;; esac
done
