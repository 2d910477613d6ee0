// What cannot be undone is tried in a child: filters, Landlock, limits.

#pragma once

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <exception>

namespace hooksmtpd::sys {

// What became of a child that ran `work`, as wait(2) says. `work` returns its exit status; 99: it threw.
template <class Work>
int in_child(Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      ::_exit(work());
    } catch (const std::exception&) {
      ::_exit(99);
    }
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
  }
  return status;
}

inline int exit_status(int wait_status) { return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1; }
inline int killed_by(int wait_status) { return WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0; }

// 0, or errno: of a call that returns -1 when it fails.
template <class Result>
int error_of(Result result) {
  return result < 0 ? errno : 0;
}

}  // namespace hooksmtpd::sys
