// The hook behind `deliver_mime`: takes a message apart for the hook that wants to read its parts (PROTOCOL.md,
// "deliver_mime"). It is a hook like any other, jailed like any other: what a message makes of GMime ends one process,
// and that message waits with its client.

#include <gmime/gmime.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "hooks/mime/hook.h"

namespace {

// All of it, so that nobody reads half a line.
void say(std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = write(STDOUT_FILENO, line.data(), line.size());
    if (written < 0 && errno != EINTR) std::exit(EX_IOERR);  // the daemon is gone
    if (written > 0) line.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  std::signal(SIGPIPE, SIG_IGN);
  g_mime_init();
  hooksmtpd::mime::Hook hook;
  for (std::string line; std::getline(std::cin, line);) say(hook.answer(line) + "\n");
  return EX_OK;
}
