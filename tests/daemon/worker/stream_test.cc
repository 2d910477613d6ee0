// Stream against a real TLS client at the other end of a socket pair.

#include "daemon/worker/stream.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <string>
#include <vector>

#include "tests/daemon/worker/tls_world.h"

using namespace hooksmtpd;
using namespace hooksmtpd::worker;
using Result = Stream::Result;

namespace {

struct Ends {
  sys::Fd ours, theirs;
};

// What makes SSL_write(2) safe in main(), too.
const auto kNoSigpipe = std::signal(SIGPIPE, SIG_IGN);

Ends socket_pair() {
  std::array<int, 2> fds{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) == 0);
  return {sys::Fd(fds[0]), sys::Fd(fds[1])};
}

struct Pair {
  explicit Pair(int newest = TLS1_3_VERSION) : Pair(socket_pair(), newest) {}
  Pair(Ends ends, int newest) : stream(std::move(ends.ours)), client(std::move(ends.theirs), newest) {
    REQUIRE(stream.start_tls(*context));
  }

  void shake_hands() {
    bool client_done = false;
    Result server = Result::kWantsRead;
    for (int i = 0; i < 10 && !(client_done && server == Result::kDone); ++i) {
      client_done = client.handshake();
      if (server != Result::kDone) server = stream.handshake().result;
    }
    REQUIRE(client_done);
    REQUIRE(server == Result::kDone);
    client.receive();  // session tickets
  }
  std::string read(std::size_t room = 100'000) {
    std::string bytes(room, '\0');
    const Stream::Transfer got = stream.read(bytes);
    bytes.resize(got.bytes);
    return bytes;
  }

  test::Identity identity = test::make_identity("mail.test");
  std::unique_ptr<tls::Context> context = test::server_context(identity);
  Stream stream;
  test::TlsClient client;
};

}  // namespace

TEST_CASE("without TLS, a stream is its socket") {
  Ends ends = socket_pair();
  Stream stream(std::move(ends.ours));
  std::array<char, 16> into;
  CHECK(stream.read(into).result == Result::kWantsRead);
  REQUIRE(write(ends.theirs.get(), "EHLO", 4) == 4);
  CHECK(stream.read(into).bytes == 4);
  CHECK_FALSE(stream.ready());
  CHECK(stream.write("250\r\n").result == Result::kDone);
  const std::string flood(4'000'000, 'x');
  const Stream::Transfer some = stream.write(flood);
  CHECK(some.result == Result::kWantsWrite);
  CHECK(some.bytes > 0);
  ends.theirs.reset();
  CHECK(stream.write("x").result == Result::kLost);
}

TEST_CASE("a client that has half closed is at its end, and can still be written to") {
  Ends ends = socket_pair();
  Stream stream(std::move(ends.ours));
  shutdown(ends.theirs.get(), SHUT_WR);
  std::array<char, 16> into;
  CHECK(stream.read(into).result == Result::kEnd);
  CHECK(stream.write("221\r\n").result == Result::kDone);
}

TEST_CASE("bytes go both ways after a handshake, with TLS 1.2 and 1.3") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Pair pair(version);
    pair.shake_hands();
    CHECK(SSL_version(pair.stream.tls()) == version);
    pair.client.send("EHLO x\r\n");
    CHECK(pair.read() == "EHLO x\r\n");
    CHECK(pair.stream.write("250 mail.test\r\n").result == Result::kDone);
    CHECK(pair.client.receive() == "250 mail.test\r\n");
    std::array<char, 16> into;
    CHECK(pair.stream.read(into).result == Result::kWantsRead);
  }
}

TEST_CASE("what OpenSSL has read ahead is told of, since no event of the socket will") {
  Pair pair;
  pair.shake_hands();
  pair.client.send("one two");
  CHECK(pair.read(4) == "one ");
  CHECK(pair.stream.ready());
  CHECK(pair.read(100) == "two");
  CHECK_FALSE(pair.stream.ready());
}

TEST_CASE("an end that comes right behind bytes is told of, too") {
  Pair pair;
  pair.shake_hands();
  pair.client.send("QUIT");
  pair.client.close_notify();
  CHECK(pair.read() == "QUIT");
  CHECK(pair.stream.ready());
  std::array<char, 16> into;
  CHECK(pair.stream.read(into).result == Result::kEnd);
  CHECK_FALSE(pair.stream.ready());
}

TEST_CASE("several records of one packet are read in one call") {
  Pair pair;
  pair.shake_hands();
  pair.client.send("one ");
  pair.client.send("two ");
  pair.client.send("three");
  CHECK(pair.read() == "one two three");
  CHECK_FALSE(pair.stream.ready());
}

TEST_CASE("half a record is nothing to be told of: the socket will say when there is more") {
  Ends left = socket_pair(), right = socket_pair();
  Pair pair({std::move(left.ours), std::move(right.theirs)}, TLS1_3_VERSION);
  const auto carry = [](const sys::Fd& from, const sys::Fd& to, std::size_t most) {
    std::string bytes(most, '\0');
    const ssize_t got = recv(from.get(), bytes.data(), bytes.size(), 0);
    if (got > 0) REQUIRE(send(to.get(), bytes.data(), static_cast<std::size_t>(got), 0) == got);
  };
  Result server = Result::kWantsRead;
  for (int i = 0; i < 10; ++i) {
    pair.client.handshake();
    carry(right.ours, left.theirs, 100'000);
    if (server != Result::kDone) server = pair.stream.handshake().result;
    carry(left.theirs, right.ours, 100'000);
  }
  REQUIRE(server == Result::kDone);
  pair.client.send("EHLO x\r\n");
  carry(right.ours, left.theirs, 9);
  CHECK(pair.read().empty());
  CHECK_FALSE(pair.stream.ready());
  carry(right.ours, left.theirs, 100'000);
  CHECK(pair.read() == "EHLO x\r\n");
}

TEST_CASE("a big write to a slow reader arrives whole, from a buffer that moves and grows") {
  Pair pair;
  pair.shake_hands();
  std::string all(3'000'000, '\0');
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>('a' + i / 1000 % 26);
  std::string left = all, got;
  bool blocked = false, grown = false;
  for (int i = 0; i < 10'000 && got.size() < all.size(); ++i) {
    const Stream::Transfer step = pair.stream.write(left);
    blocked |= step.result == Result::kWantsWrite;
    left = std::string(left, step.bytes);
    if (blocked && !std::exchange(grown, true)) left += "tail", all += "tail";
    got += pair.client.receive();
  }
  CHECK(blocked);
  CHECK(got == all);
}

TEST_CASE("close_notify ends a stream, and so does an end without it") {
  for (const bool polite : {true, false}) {
    Pair pair;
    pair.shake_hands();
    pair.client.send("QUIT\r\n");
    if (polite) pair.client.close_notify();
    shutdown(pair.client.socket(), SHUT_WR);
    CHECK(pair.read() == "QUIT\r\n");
    std::array<char, 16> into;
    CHECK(pair.stream.read(into).result == Result::kEnd);
    CHECK(pair.stream.write("221\r\n").result == Result::kDone);
    CHECK(pair.stream.failure().empty());
  }
}

TEST_CASE("our end is said with close_notify and FIN") {
  Pair pair;
  pair.shake_hands();
  pair.stream.finish();
  CHECK(pair.client.at_end());
  char byte;
  CHECK(recv(pair.client.socket(), &byte, 1, 0) == 0);
}

TEST_CASE("a client that is gone loses the stream, and no signal comes") {
  Pair pair;
  pair.shake_hands();
  pair.client.reset_socket();
  CHECK(pair.stream.write("250\r\n").result == Result::kLost);
  pair.stream.finish();
}

TEST_CASE("a handshake that fails says why, in words") {
  const auto failure = [](std::string_view first_bytes) {
    Pair pair;
    REQUIRE(send(pair.client.socket(), first_bytes.data(), first_bytes.size(), 0) > 0);
    shutdown(pair.client.socket(), SHUT_WR);
    Stream::Transfer step{Result::kWantsRead};
    for (int i = 0; i < 3 && step.result == Result::kWantsRead; ++i) step = pair.stream.handshake();
    CHECK(step.result == Result::kLost);
    return pair.stream.failure();
  };
  CHECK(failure("GET / HTTP/1.1\r\n\r\n") == "http request");
  CHECK(failure("EHLO client.test\r\n") == "wrong version number");
  CHECK(failure(std::string_view("\x16\x03", 2)) == "the client closed the connection");
}

TEST_CASE("one client's failure is not found by another one (the error queue is one for all)") {
  Pair broken, well;
  well.shake_hands();
  REQUIRE(send(broken.client.socket(), "EHLO x\r\nEHLO x\r\n", 16, 0) == 16);
  CHECK(broken.stream.handshake().result == Result::kLost);
  std::array<char, 16> into;
  CHECK(well.stream.read(into).result == Result::kWantsRead);
  well.client.send("NOOP");
  CHECK(well.read() == "NOOP");
}

TEST_CASE("a client that sends nothing but key updates is left in between, so that others have their turn") {
  Pair pair;
  pair.shake_hands();
  BIO* const updates = BIO_new(BIO_s_mem());
  SSL_set0_wbio(pair.client.ssl(), updates);
  for (int i = 0; i < 10'000; ++i) {
    REQUIRE(SSL_key_update(pair.client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
    REQUIRE(pair.client.handshake());
  }
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(updates, &bytes);
  REQUIRE(send(pair.client.socket(), bytes, static_cast<std::size_t>(length), 0) > 150'000);
  std::array<char, 100> into;
  CHECK(pair.stream.read(into).result == Result::kWantsRead);
  int left = 0;
  REQUIRE(ioctl(pair.stream.socket(), FIONREAD, &left) == 0);
  CHECK(left > 0);
  CHECK_FALSE(pair.stream.ready());  // the socket tells of the rest
}

TEST_CASE("a stream that is spoilt under way is lost, with the reason") {
  Pair pair;
  pair.shake_hands();
  const std::string garbage = std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x');
  REQUIRE(send(pair.client.socket(), garbage.data(), garbage.size(), 0) > 0);
  std::array<char, 16> into;
  CHECK(pair.stream.read(into).result == Result::kLost);
  CHECK(pair.stream.failure() == "decryption failed or bad record mac");
}
