// A real keeper in a process of its own, without namespaces; the tests speak as its supervisor.

#include "daemon/keeper/keeper.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "daemon/sys/frame.h"
#include "daemon/sys/memfd.h"
#include "daemon/sys/pair.h"

using namespace hooksmtpd;
using sys::Fd;
using sys::FrameKind;

namespace {

constexpr int kPatience = 20'000;  // milliseconds

bool readable(const Fd& fd, int milliseconds = kPatience) {
  pollfd one{.fd = fd.get(), .events = POLLIN, .revents = 0};
  return ::poll(&one, 1, milliseconds) == 1;
}

std::string read_all(const Fd& pipe) {
  std::string text;
  std::array<char, 4096> piece;
  while (readable(pipe)) {
    const ssize_t got = ::read(pipe.get(), piece.data(), piece.size());
    if (got <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

enum class Privileges { kDrop, kKeep };

// Root becomes nobody; either way no_new_privs is set, as the launcher sets it.
void drop() {
  if (::geteuid() == 0) {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(65534, 65534, 65534) != 0 ||
        ::setresuid(65534, 65534, 65534) != 0) {
      ::_exit(99);
    }
  }
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

class Kept {
 public:
  explicit Kept(Privileges privileges = Privileges::kDrop, keeper::Plan::Child child = keeper::Plan::Child::kHook) {
    sys::SocketPair pair = sys::make_socket_pair();
    sys::Pipe life_pipe = sys::make_pipe();
    pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      pair.ours.reset();
      life_pipe.write.reset();
      if (privileges == Privileges::kDrop) drop();
      keeper::Plan plan;
      plan.child = child;
      plan.control = std::move(pair.theirs);
      plan.life = std::move(life_pipe.read);
      plan.environment = {"PATH=/usr/bin:/bin", "ONLY=this"};
      plan.directory = "/usr";
      plan.demands = {.empty_bounding_set = false, .filter = false};
      if (child == keeper::Plan::Child::kWorker) {
        plan.spool = Fd(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        for (int i = 0; i < 2; ++i) plan.listeners.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      }
      if (child == keeper::Plan::Child::kKeyholder) plan.keys = sys::make_sealed_memfd("keys", "the keys");
      ::_exit(keeper::run(std::move(plan)));
    }
    control = std::move(pair.ours);
    life = std::move(life_pipe.write);
    if (privileges == Privileges::kDrop) REQUIRE(next().kind == FrameKind::kReport);
  }

  ~Kept() {
    life.reset();
    control.reset();
    if (pid > 0) wait();
  }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;

  sys::Frame next() const {
    REQUIRE(readable(control));
    auto frame = sys::receive_frame(control, sys::Sender::kKeeper);
    REQUIRE(frame);
    return std::move(*frame);
  }

  void start(const std::vector<std::string>& argv) const {
    std::string body;
    for (const std::string& argument : argv) body.append(argument).push_back('\0');
    REQUIRE(sys::send_frame(control, FrameKind::kStart, body));
  }
  // The ends of the pipes of a child that has started.
  std::vector<Fd> started(const std::vector<std::string>& argv) const {
    start(argv);
    sys::Frame frame = next();
    REQUIRE(frame.kind == FrameKind::kStarted);
    CHECK(sys::body_as<sys::Started>(frame.body).pid > 1);
    return std::move(frame.fds);
  }
  void stop(std::uint32_t grace_ms) const {
    REQUIRE(sys::send_frame(control, FrameKind::kStop, sys::as_body(sys::Stop{.grace_ms = grace_ms})));
  }
  sys::Exited exited() const {
    const sys::Frame frame = next();
    REQUIRE(frame.kind == FrameKind::kExited);
    return sys::body_as<sys::Exited>(frame.body);
  }
  int wait() {
    int status = -1;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    pid = -1;
    return status;
  }

  pid_t pid = -1;
  Fd control;
  Fd life;
};

constexpr const char* kShell = "/bin/sh";

}  // namespace

TEST_CASE("a keeper that still has a privilege refuses to work") {
  if (::geteuid() != 0) return;  // only root has one to keep
  Kept kept(Privileges::kKeep);
  const int status = kept.wait();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == EX_CONFIG);
}

TEST_CASE("a hook has three pipes, the environment of its plan, and nothing else") {
  const Kept kept;
  const auto ends =
      kept.started({kShell, "-c", "read line; echo \"$line\"; pwd; env; umask; ls /proc/self/fd; echo log >&2"});
  REQUIRE(ends.size() == 3);
  REQUIRE(::write(ends[0].get(), "hello\n", 6) == 6);
  const std::string output = read_all(ends[1]);
  CHECK(output.starts_with("hello\n/usr\n"));
  CHECK(output.contains("ONLY=this\n"));
  CHECK_FALSE(output.contains("HOME="));
  CHECK(output.ends_with("0077\n0\n1\n2\n3\n"));  // 3: the folder that ls reads
  CHECK(read_all(ends[2]) == "log\n");
  const sys::Exited exited = kept.exited();
  CHECK(WIFEXITED(exited.wait_status));
  CHECK(exited.exec_errno == 0);
}

TEST_CASE("the worker has its control socket, the spool, the listeners and the life pipe, at fixed places") {
  const Kept kept(Privileges::kDrop, keeper::Plan::Child::kWorker);
  const auto ends = kept.started(
      {kShell, "-c", "for n in 0 1 2 3 4 5 6 7; do readlink /proc/$$/fd/$n; done >&2; ls /proc/self/fd >&2"});
  REQUIRE(ends.size() == 2);
  const std::string log = read_all(ends[1]);
  CAPTURE(log);
  CHECK(log.contains("socket:["));
  CHECK(log.contains("\n/\n/dev/null\n/dev/null\npipe:["));  // 4 to 7
  CHECK(log.ends_with("\n3\n4\n5\n6\n7\n8\n"));              // 8: the folder that ls reads
  kept.exited();
}

TEST_CASE("the keyholder has its control socket, the keys and the life pipe, and no listener") {
  const Kept kept(Privileges::kDrop, keeper::Plan::Child::kKeyholder);
  const auto ends = kept.started({kShell, "-c",
                                  "for n in 0 3 4 5; do readlink /proc/$$/fd/$n; done >&2; "
                                  "cat /proc/self/fd/4 >&2; echo >&2; ls /proc/self/fd >&2"});
  REQUIRE(ends.size() == 2);
  const std::string log = read_all(ends[1]);
  CAPTURE(log);
  CHECK(log.starts_with("/dev/null\nsocket:["));
  CHECK(log.contains("\n/memfd:keys (deleted)\npipe:["));
  CHECK(log.contains("the keys\n"));
  CHECK(log.ends_with("\n3\n4\n5\n6\n"));  // 6: the folder that ls reads
  kept.exited();
}

TEST_CASE("a child has default signals and a session of its own") {
  const Kept kept;
  const auto ends =
      kept.started({kShell, "-c", "grep -E 'SigBlk|SigIgn' /proc/self/status; ps -o sid= -p $$; echo $$"});
  const std::string output = read_all(ends[1]);
  CAPTURE(output);
  CHECK(output.contains("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"));
  kept.exited();
}

TEST_CASE("a program that cannot be started says why, and the keeper goes on") {
  const Kept kept;
  kept.start({"/no/such/program"});
  CHECK(kept.exited().exec_errno == ENOENT);
  kept.start({"/etc/passwd"});
  CHECK(kept.exited().exec_errno == EACCES);
  kept.started({kShell, "-c", "exit 3"});
  CHECK(WEXITSTATUS(kept.exited().wait_status) == 3);
}

TEST_CASE("what the child leaves behind ends with it") {
  const Kept kept;
  const auto ends = kept.started({kShell, "-c", "sleep 1000 & exit 0"});
  kept.exited();
  CHECK(read_all(ends[1]).empty());
  CHECK(readable(ends[1]));  // EOF: the sleep that held it is gone too
}

TEST_CASE("what has left the child's session ends with it, too") {
  const std::string behind = "setsid sh -c 'setsid sleep 1000 & echo up; sleep 1000' & ";
  {
    const Kept kept;
    const auto ends = kept.started({kShell, "-c", behind + "read -r one; exit 0"});
    REQUIRE(readable(ends[1]));
    CHECK(::write(ends[0].get(), "\n", 1) == 1);
    kept.exited();
    CHECK(read_all(ends[1]) == "up\n");
    CHECK(readable(ends[1]));  // EOF: nobody holds it
  }
  Kept kept;
  const auto ends = kept.started({kShell, "-c", behind + "sleep 1000"});
  REQUIRE(readable(ends[1]));
  kept.life.reset();
  CHECK(kept.wait() == 0);
  CHECK(read_all(ends[1]) == "up\n");
  CHECK(readable(ends[1]));
}

TEST_CASE("a stop is SIGTERM first") {
  const Kept kept;
  const auto ends = kept.started({kShell, "-c", "trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.01; done"});
  REQUIRE(readable(ends[1]));
  kept.stop(kPatience);
  CHECK(WEXITSTATUS(kept.exited().wait_status) == 5);
  CHECK(read_all(ends[1]) == "up\nbye\n");
}

TEST_CASE("a stop is SIGKILL after the grace, or at once without one") {
  for (const std::uint32_t grace : {50U, 0U}) {
    const Kept kept;
    const auto ends = kept.started({kShell, "-c", "trap '' TERM; echo up; while :; do sleep 1000; done"});
    REQUIRE(readable(ends[1]));
    kept.stop(grace);
    const int status = kept.exited().wait_status;
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGKILL);
  }
}

TEST_CASE("the grace of a stop ends with the child that it was for") {
  const Kept kept;
  const auto ends = kept.started({kShell, "-c", "echo up; exec sleep 1000"});
  REQUIRE(readable(ends[1]));
  kept.stop(100);
  CHECK(WIFSIGNALED(kept.exited().wait_status));
  kept.started({kShell, "-c", "sleep 0.3; exit 7"});
  const int status = kept.exited().wait_status;
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}

TEST_CASE("a stop without a child is nothing") {
  const Kept kept;
  kept.stop(0);
  kept.started({kShell, "-c", "exit 0"});
  CHECK(kept.exited().wait_status == 0);
}

TEST_CASE("when the life pipe closes, keeper and child end") {
  Kept kept;
  const auto ends = kept.started({kShell, "-c", "trap '' TERM HUP; echo up; sleep 1000"});
  REQUIRE(readable(ends[1]));
  kept.life.reset();
  CHECK(kept.wait() == 0);
  CHECK(read_all(ends[1]) == "up\n");
}

TEST_CASE("when the control socket closes, keeper and child end") {
  Kept kept;
  const auto ends = kept.started({kShell, "-c", "echo up; sleep 1000"});
  REQUIRE(readable(ends[1]));
  kept.control.reset();
  CHECK(kept.wait() == 0);
  CHECK(read_all(ends[1]) == "up\n");
}

TEST_CASE("a frame that the state does not expect ends the conversation") {
  Kept kept;
  const auto ends = kept.started({kShell, "-c", "sleep 1000"});
  kept.start({kShell, "-c", "exit 0"});
  CHECK(WEXITSTATUS(kept.wait()) == EX_PROTOCOL);
  CHECK(read_all(ends[1]).empty());
}

TEST_CASE("arguments without an end are no arguments") {
  Kept kept;
  REQUIRE(sys::send_frame(kept.control, FrameKind::kStart, "/bin/true"));
  CHECK(WEXITSTATUS(kept.wait()) == EX_PROTOCOL);
}

TEST_CASE("a keeper that can wait for nothing any more ends, and its child with it") {
  Kept kept;
  // poll(2) counts its descriptors against this limit.
  const auto ends = kept.started({kShell, "-c", "echo up; prlimit --pid $PPID --nofile=0 && echo limited; sleep 1000"});
  std::array<char, 3> up;
  REQUIRE(readable(ends[1]));
  REQUIRE(::read(ends[1].get(), up.data(), up.size()) == 3);
  REQUIRE(readable(ends[1]));  // "limited", or its end: if the keeper was only about to wait, all is over by now
  static_cast<void>(sys::send_frame(kept.control, FrameKind::kStop, sys::as_body(sys::Stop{.grace_ms = kPatience})));
  CHECK(WEXITSTATUS(kept.wait()) == EX_OSERR);
  read_all(ends[1]);  // comes to an end
}

TEST_CASE("signals that people send to everything do not end a keeper") {
  Kept kept;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) ::kill(kept.pid, signal);
  kept.started({kShell, "-c", "exit 0"});
  CHECK(kept.exited().wait_status == 0);
}
