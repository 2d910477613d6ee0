#include "daemon/sys/frame.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "daemon/sys/pair.h"

using namespace hooksmtpd::sys;

namespace {

// What a peer that does not know our rules would send.
void send_raw(const Fd& socket, std::string_view bytes, const std::vector<int>& fds = {}) {
  iovec part{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  std::array<char, CMSG_SPACE(16 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size() * sizeof(int));
  }
  REQUIRE(::sendmsg(socket.get(), &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

std::string raw(std::uint32_t kind, std::uint32_t length, std::string_view body = {}) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &kind, 4);
  std::memcpy(bytes.data() + 4, &length, 4);
  return bytes.append(body);
}

std::uint32_t number(FrameKind kind) { return static_cast<std::uint32_t>(kind); }

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

}  // namespace

TEST_CASE("a frame arrives as it was sent, and so do its descriptors, close-on-exec") {
  const SocketPair pair = make_socket_pair();
  const Pipe pipe = make_pipe();
  const HookProcess process{.slot = 1, .instance = 2, .generation = 3};
  const std::string body = std::string(as_body(process)) + "policy";
  const std::array fds{pipe.read.get(), pipe.write.get(), pipe.write.get()};
  REQUIRE(send_frame(pair.ours, FrameKind::kHook, body, fds));

  const auto frame = receive_frame(pair.theirs, Sender::kSupervisor);
  REQUIRE(frame);
  CHECK(frame->kind == FrameKind::kHook);
  CHECK(body_as<HookProcess>(frame->body).generation == 3);
  CHECK(rest_of_body<HookProcess>(frame->body) == "policy");
  REQUIRE(frame->fds.size() == 3);
  for (const Fd& fd : frame->fds) CHECK((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(::write(frame->fds[1].get(), "x", 1) == 1);
}

TEST_CASE("the keyholder reports, and says what it thinks of its keys") {
  const SocketPair pair = make_socket_pair();
  const ProcessReport report{};
  REQUIRE(send_frame(pair.ours, FrameKind::kReport, as_body(report)));
  REQUIRE(send_frame(pair.ours, FrameKind::kKeys, std::string(as_body(Keys{.verdict = Keys::kRefused})) + "expired"));
  CHECK(receive_frame(pair.theirs, Sender::kKeyholder)->kind == FrameKind::kReport);
  const auto keys = receive_frame(pair.theirs, Sender::kKeyholder);
  REQUIRE(keys);
  CHECK(body_as<Keys>(keys->body).verdict == Keys::kRefused);
  CHECK(rest_of_body<Keys>(keys->body) == "expired");
}

TEST_CASE("the longest body arrives whole") {
  const SocketPair pair = make_socket_pair();
  const std::string body(kMaxFrameBody, 'a');
  REQUIRE(send_frame(pair.ours, FrameKind::kStart, body));
  const auto frame = receive_frame(pair.theirs, Sender::kSupervisor);
  REQUIRE(frame);
  CHECK(frame->body == body);
}

TEST_CASE("frames do not run together") {
  const SocketPair pair = make_socket_pair();
  REQUIRE(send_frame(pair.ours, FrameKind::kServe));
  REQUIRE(send_frame(pair.ours, FrameKind::kRelease));
  CHECK(receive_frame(pair.theirs, Sender::kSupervisor)->kind == FrameKind::kServe);
  CHECK(receive_frame(pair.theirs, Sender::kSupervisor)->kind == FrameKind::kRelease);
}

TEST_CASE("neither end ever blocks") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()) == 0);  // blocking ones
  const Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  CHECK(receive_frame(ours, Sender::kWorker).error() == FrameError::kWouldBlock);
  const std::string body(kMaxFrameBody, 'a');
  std::expected<void, FrameError> sent;
  for (int i = 0; i < 1000 && sent; ++i) sent = send_frame(ours, FrameKind::kStart, body);
  REQUIRE_FALSE(sent);
  CHECK(sent.error() == FrameError::kWouldBlock);
}

TEST_CASE("a peer that is gone") {
  SocketPair pair = make_socket_pair();
  pair.theirs.reset();
  CHECK(receive_frame(pair.ours, Sender::kWorker).error() == FrameError::kClosed);
  CHECK(send_frame(pair.ours, FrameKind::kServe).error() == FrameError::kClosed);
}

TEST_CASE("a frame against its rule is broken, and its descriptors are closed") {
  struct Case {
    const char* what;
    std::string bytes;
    std::size_t fds;
    Sender from;
  };
  const std::string stop(sizeof(Stop), '\0');
  const std::vector<Case> cases{
      {"an unknown kind", raw(999, 0), 0, Sender::kSupervisor},
      {"kind 0", raw(0, 0), 0, Sender::kSupervisor},
      {"half a header", std::string(5, '\0'), 0, Sender::kSupervisor},
      {"a length that says too much", raw(number(FrameKind::kStop), 400, stop), 0, Sender::kSupervisor},
      {"a length that says too little", raw(number(FrameKind::kStop), 0, stop), 0, Sender::kSupervisor},
      {"a body that is too short", raw(number(FrameKind::kStop), 1, "x"), 0, Sender::kSupervisor},
      {"a body that is too long", raw(number(FrameKind::kServe), 1, "x"), 0, Sender::kSupervisor},
      {"a packet longer than any frame",
       raw(number(FrameKind::kStart), kMaxFrameBody + 9, std::string(kMaxFrameBody + 9, 'x')), 0, Sender::kSupervisor},
      {"from the wrong side", raw(number(FrameKind::kServe), 0), 0, Sender::kWorker},
      {"a keeper's frame from the worker",
       raw(number(FrameKind::kExited), sizeof(Exited), std::string(sizeof(Exited), '\0')), 0, Sender::kWorker},
      {"the keyholder's frame from the worker", raw(number(FrameKind::kKeys), 4, std::string(4, '\0')), 0,
       Sender::kWorker},
      {"the worker's frame from the keyholder", raw(number(FrameKind::kKeyholderLost), 0), 0, Sender::kKeyholder},
      {"a client without its socket", raw(number(FrameKind::kClient), 0), 0, Sender::kSupervisor},
      {"a subscriber without its socket", raw(number(FrameKind::kSubscribe), 2, "{}"), 0, Sender::kSupervisor},
      {"a subscriber from the worker", raw(number(FrameKind::kSubscribe), 2, "{}"), 1, Sender::kWorker},
      {"a keyholder's configuration", raw(number(FrameKind::kConfig), 0), 1, Sender::kKeyholder},
      {"a descriptor that nobody asked for", raw(number(FrameKind::kServe), 0), 1, Sender::kSupervisor},
      {"a descriptor missing", raw(number(FrameKind::kConfig), 0), 0, Sender::kSupervisor},
      {"one descriptor too many", raw(number(FrameKind::kConfig), 0), 2, Sender::kSupervisor},
      {"more descriptors than any frame has", raw(number(FrameKind::kConfig), 0), 12, Sender::kSupervisor},
  };
  for (const Case& one : cases) {
    CAPTURE(one.what);
    const SocketPair pair = make_socket_pair();
    const std::size_t before = open_descriptors();
    send_raw(pair.ours, one.bytes, std::vector<int>(one.fds, STDOUT_FILENO));
    const auto frame = receive_frame(pair.theirs, one.from);
    REQUIRE_FALSE(frame);
    CHECK(frame.error() == FrameError::kBroken);
    CHECK(open_descriptors() == before);
  }
}

TEST_CASE("every kind has a rule that its own bodies keep") {
  for (std::uint32_t kind = number(FrameKind::kStart); kind <= number(FrameKind::kPong); ++kind) {
    CAPTURE(kind);
    const FrameRule* rule = rule_of(static_cast<FrameKind>(kind));
    REQUIRE(rule != nullptr);
    CHECK(rule->min_body <= rule->max_body);
    CHECK(rule->min_fds <= rule->max_fds);
    CHECK(rule->senders != 0);
  }
  CHECK(rule_of(static_cast<FrameKind>(number(FrameKind::kConfigured) + 1)) == nullptr);
}
