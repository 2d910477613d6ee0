// The real program: its frames, its clients, its end.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "config/config.h"
#include "daemon/sys/fd.h"
#include "daemon/sys/frame.h"
#include "daemon/sys/key_files.h"
#include "daemon/sys/memfd.h"
#include "daemon/sys/pair.h"
#include "daemon/tls/ask_keyholder.h"
#include "daemon/tls/remote_key.h"
#include "tests/daemon/tls/fixtures.h"

using namespace fixtures;
using namespace std::chrono_literals;
using sys::Fd;
using sys::FrameKind;
using sys::SignStatus;

namespace {

// A sanitizer calls the kernel as no program of ours does, and starts a process at the end to look for leaks.
#ifdef __SANITIZE_ADDRESS__
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

constexpr auto kLimit = 10s;

class Program {
 public:
  explicit Program(const std::vector<sys::KeyFile>& at_start) {
    sys::SocketPair pair = sys::make_socket_pair();
    sys::Pipe life = sys::make_pipe();
    sys::Pipe log = sys::make_pipe();
    const Fd keys = sys::make_sealed_memfd("keys", sys::to_bytes(at_start));
    const std::string number = std::to_string(life.read.get() + 100);
    // By descriptor: the clone may stand below a folder that is closed to the user it becomes.
    const Fd program(::open(std::getenv("HOOKSMTPD_KEYHOLDER"), O_PATH | O_CLOEXEC));
    pid_ = ::fork();
    if (pid_ == 0) {
      // High numbers first: what is copied must not land on what is still needed.
      for (const auto& [from, to] : {std::pair(pair.theirs.get(), 201), std::pair(keys.get(), 202),
                                     std::pair(log.write.get(), 203), std::pair(life.read.get(), std::stoi(number))}) {
        ::dup2(from, to);
      }
      ::dup2(::open("/dev/null", O_RDWR), 0);
      ::dup2(0, 1);
      ::dup2(203, 2);
      ::dup2(201, 3);
      ::dup2(202, 4);
      for (const int fd : {201, 202, 203}) ::close(fd);
      if (::geteuid() == 0) {
        if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(1);
      }
      std::array<char*, 6> argv{const_cast<char*>("keyholder"),
                                const_cast<char*>("--life"),
                                const_cast<char*>(number.c_str()),
                                const_cast<char*>("--sandbox"),
                                const_cast<char*>(kSanitized ? "landlock" : "filter,landlock"),
                                nullptr};
      if (kSanitized) ::setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
      ::execveat(program.get(), "", argv.data(), environ, AT_EMPTY_PATH);
      ::_exit(127);
    }
    control = std::move(pair.ours);
    life_ = std::move(life.write);
    log_ = std::move(log.read);
  }
  ~Program() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    wait();
  }

  sys::Frame frame() {
    pollfd one{.fd = control.get(), .events = POLLIN, .revents = 0};
    REQUIRE_MESSAGE(::poll(&one, 1, std::chrono::milliseconds(kLimit).count()) == 1, said());
    auto got = sys::receive_frame(control, sys::Sender::kKeyholder);
    REQUIRE_MESSAGE(got, said());
    return *std::move(got);
  }
  // Verdict and sentences.
  std::pair<std::uint32_t, std::string> load(const config::Tls& tls) {
    config::Config config;
    config.tls = tls;
    const Fd memfd = sys::make_sealed_memfd("config", config::to_json(config));
    const std::array fds{memfd.get()};
    REQUIRE(sys::send_frame(control, FrameKind::kConfig, {}, fds));
    const sys::Frame answer = frame();
    REQUIRE(answer.kind == FrameKind::kKeys);
    return {sys::body_as<sys::Keys>(answer.body).verdict, std::string(sys::rest_of_body<sys::Keys>(answer.body))};
  }
  Fd client() {
    sys::SocketPair pair = sys::make_socket_pair();
    const std::array fds{pair.theirs.get()};
    REQUIRE(sys::send_frame(control, FrameKind::kClient, {}, fds));
    return std::move(pair.ours);
  }
  int wait() {
    if (pid_ <= 0) return -1;
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return status;
  }
  void end_life() { life_.reset(); }
  std::string said() {
    std::array<char, 4096> text;
    pollfd one{.fd = log_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&one, 1, 1000) != 1) return "nothing was said";
    const ssize_t got = ::read(log_.get(), text.data(), text.size());
    return {text.data(), static_cast<std::size_t>(got > 0 ? got : 0)};
  }

  Fd control;

 private:
  pid_t pid_ = -1;
  Fd life_, log_;
};

struct Serving {
  explicit Serving(const std::string& key = "P-256")
      : pair(make_pair({.key = key})), program({{.path = "/nowhere/1.key", .error = 0, .text = pair.key_pem}}) {
    CHECK(program.frame().kind == FrameKind::kReport);
    tls = config_of({&pair});
    tls.certificates[0].key = "/nowhere/1.key";
    const auto [verdict, text] = program.load(tls);
    CHECK(verdict == sys::Keys::kOk);
    CHECK(text == "/nowhere/1.key cannot be read: No such file or directory; the key read at start stays in use");
  }
  sys::SignRequest request() const {
    return {.key = tls::key_id(X509_get0_pubkey(pair.certificate.get())),
            .kind = sys::SignKind::kEcdsa,
            .length = 32,
            .data = {}};
  }
  Pair pair;
  Program program;
  config::Tls tls;
};

SignStatus status_of(const Fd& client, const sys::SignRequest& request) {
  const auto reply = tls::ask_keyholder(client, request, kLimit);
  REQUIRE(reply);
  return reply->status;
}

}  // namespace

TEST_CASE("the program reports, loads keys, and signs for whoever it was told to") {
  Serving serving;
  const Fd client = serving.program.client();
  CHECK(status_of(client, serving.request()) == SignStatus::kSigned);
  sys::SignRequest unknown = serving.request();
  unknown.key[0] ^= 1;
  CHECK(status_of(client, unknown) == SignStatus::kUnknownKey);
  sys::SignRequest refused = serving.request();
  refused.length = 31;
  CHECK(status_of(client, refused) == SignStatus::kRefused);
  CHECK(status_of(serving.program.client(), serving.request()) == SignStatus::kSigned);
}

TEST_CASE("refused keys leave those before in use; new ones keep the old for one more configuration") {
  Serving serving;
  const Fd client = serving.program.client();
  const auto old = serving.request();
  config::Tls bad = serving.tls;
  bad.ciphers = "NONSENSE";
  CHECK(serving.program.load(bad).first == sys::Keys::kRefused);
  CHECK(status_of(client, old) == SignStatus::kSigned);
  CHECK(serving.program.load({}).first == sys::Keys::kOk);
  CHECK(status_of(client, old) == SignStatus::kSigned);  // a handshake that began before
  CHECK(serving.program.load({}).first == sys::Keys::kOk);
  CHECK(status_of(client, old) == SignStatus::kUnknownKey);
}

TEST_CASE("a client that breaks the form of a packet is dropped, and the next is served") {
  Serving serving;
  const sys::SignRequest request = serving.request();
  std::string whole(reinterpret_cast<const char*>(&request), sizeof request);
  std::string trailing = whole;
  trailing.back() = 'x';
  for (const std::string& packet :
       {std::string("GET / HTTP/1.1\r\n"), whole.substr(1), whole + "x", trailing, std::string(64 * 1024, 'x')}) {
    CAPTURE(packet.size());
    const Fd bad = serving.program.client();
    REQUIRE(::send(bad.get(), packet.data(), packet.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(packet.size()));
    pollfd one{.fd = bad.get(), .events = POLLIN, .revents = 0};
    REQUIRE(::poll(&one, 1, std::chrono::milliseconds(kLimit).count()) == 1);
    char byte = 0;
    CHECK(::recv(bad.get(), &byte, 1, MSG_DONTWAIT) <= 0);  // closed
    CHECK(status_of(serving.program.client(), request) == SignStatus::kSigned);
  }
}

TEST_CASE("a client that does not read its answers is dropped") {
  Serving serving;
  const Fd deaf = serving.program.client();
  const sys::SignRequest request = serving.request();
  bool closed = false;
  for (int i = 0; i < 20000 && !closed; ++i) {
    if (::send(deaf.get(), &request, sizeof request, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) continue;
    closed = errno == EPIPE || errno == ECONNRESET;
    pollfd one{.fd = deaf.get(), .events = POLLOUT, .revents = 0};
    ::poll(&one, 1, 100);
  }
  CHECK(closed);
  CHECK(status_of(serving.program.client(), request) == SignStatus::kSigned);
}

TEST_CASE("beyond the rate limit the answer is no, at once, and another socket is no other allowance") {
  Serving serving;
  const Fd greedy = serving.program.client();
  const sys::SignRequest request = serving.request();
  const auto begin = std::chrono::steady_clock::now();
  int signed_ones = 0;
  for (int i = 0; i < 8000; ++i) signed_ones += status_of(greedy, request) == SignStatus::kSigned ? 1 : 0;
  const Fd again = serving.program.client();
  for (int i = 0; i < 2000; ++i) signed_ones += status_of(again, request) == SignStatus::kSigned ? 1 : 0;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  CHECK(signed_ones >= 5000);
  CHECK(signed_ones <= 5001 + static_cast<int>(took.count() * 500));
}

TEST_CASE("there is one client: whoever comes takes the place of the one before") {
  Serving serving;
  const Fd before = serving.program.client();
  CHECK(status_of(before, serving.request()) == SignStatus::kSigned);
  const Fd now = serving.program.client();
  CHECK(status_of(now, serving.request()) == SignStatus::kSigned);
  CHECK_FALSE(tls::ask_keyholder(before, serving.request(), kLimit));
}

TEST_CASE("end of life: the program exits") {
  Serving serving;
  serving.program.end_life();
  CHECK(serving.program.wait() == 0);
}

TEST_CASE("without a supervisor the program exits") {
  Serving serving;
  serving.program.control.reset();
  CHECK(serving.program.wait() == 0);
}

TEST_CASE("a broken frame, or an order that makes no sense, ends the program") {
  for (const FrameKind kind : {FrameKind::kServe, FrameKind::kRelease}) {
    Serving serving;
    REQUIRE(sys::send_frame(serving.program.control, kind));
    CHECK(serving.program.wait() == 1 << 8);
  }
  Serving serving;
  REQUIRE(::send(serving.program.control.get(), "x", 1, MSG_NOSIGNAL) == 1);
  CHECK(serving.program.wait() == 1 << 8);
}
