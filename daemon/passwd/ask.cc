#include "daemon/passwd/ask.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "daemon/passwd/failure.h"
#include "daemon/sys/error.h"
#include "daemon/sys/fd.h"
#include "proto/sasl/bounds.h"

namespace hooksmtpd::passwd {

namespace {

// A terminal that shows nothing of what is typed, but the end of the line, while this lives. Signals wait until the
// end, which gives the echo back.
class Quiet {
 public:
  Quiet() {
    sigset_t ending;
    sigemptyset(&ending);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&ending, signal);
    sys::must(::sigprocmask(SIG_BLOCK, &ending, &mask_), "sigprocmask");
    signals_.reset(::signalfd(-1, &ending, SFD_CLOEXEC));
    ::tcgetattr(STDIN_FILENO, &as_it_was_);
    termios quiet = as_it_was_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    quiet.c_lflag |= ICANON | ECHONL;
    quiet.c_cc[VSUSP] = _POSIX_VDISABLE;  // a shell would come back without echo
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
  ~Quiet() {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &as_it_was_);
    ::sigprocmask(SIG_SETMASK, &mask_, nullptr);  // a signal that came meanwhile ends the program here
  }

  // Returns when something was typed; throws when a signal came.
  void wait() const {
    std::array<pollfd, 2> polled{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{signals_.get(), POLLIN, 0}};
    sys::must(::poll(polled.data(), polled.size(), -1), "poll");
    if (polled[1].revents != 0) throw Failure(EX_TEMPFAIL, "stopped by a signal; nothing was changed");
  }

 private:
  sigset_t mask_;
  sys::Fd signals_;
  termios as_it_was_;
};

// One octet at a time, so that nothing else of the secret is in a buffer, and nothing behind the line is taken.
void read_line(std::string& line, const Quiet* terminal) {
  line.reserve(sasl::kMaxPassword + 1);  // never grows: that would leave copies
  while (true) {
    if (terminal) terminal->wait();
    char c;
    const auto length = sys::must(::read(STDIN_FILENO, &c, 1), "read the password from standard input");
    if (length == 0 || c == '\n') break;
    if (line.size() == sasl::kMaxPassword) {
      throw Failure(EX_DATAERR, fmt::format("a password is at most {} octets long", sasl::kMaxPassword));
    }
    line += c;
  }
  if (line.empty()) throw Failure(EX_DATAERR, "no password was given; nothing was changed");
}

void prompt(std::string_view text) { fmt::print(stderr, "{}", text); }

}  // namespace

sasl::Wiped ask_password(Asking asking) {
  sasl::Wiped password, again;
  if (::isatty(STDIN_FILENO) == 0) {
    read_line(password.text, nullptr);
    return sasl::Wiped(std::move(password.text));
  }
  const Quiet terminal;
  prompt("Password: ");
  read_line(password.text, &terminal);
  if (asking == Asking::kTwice) {
    prompt("The same again: ");
    read_line(again.text, &terminal);
    if (again.text != password.text) throw Failure(EX_DATAERR, "the two are not the same; nothing was changed");
  }
  return sasl::Wiped(std::move(password.text));
}

}  // namespace hooksmtpd::passwd
