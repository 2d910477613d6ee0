#!/bin/sh
while IFS= read -r request; do
  case $request in *'@blocked.example"}') echo 'reject 550 5.1.1 no such user' ;; *) echo ok ;; esac
done
