#include "daemon/worker/stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "daemon/tls/context.h"
#include "daemon/tls/openssl.h"

namespace hooksmtpd::worker {
namespace {

// SSL_read() and SSL_write() count in int.
constexpr std::size_t kMaxCall = 1024 * 1024;

// How often one call may read from the socket. OpenSSL goes on by itself behind records that carry no data, such as a
// KeyUpdate (RFC 8446 §4.6.3): a client that sends them faster than they can be read would keep the whole process.
constexpr int kMaxReads = 4;

// A BIO_callback_fn_ex: the socket of a stream that had its share pretends to be empty. Events still tell of the rest.
long count_read(BIO* socket, int operation, const char*, std::size_t, int, long, int returned, std::size_t*) noexcept {
  if (operation != BIO_CB_READ) return returned;
  int& reads_left = *reinterpret_cast<int*>(BIO_get_callback_arg(socket));
  if (reads_left-- > 0) return returned;
  BIO_clear_retry_flags(socket);
  BIO_set_retry_read(socket);
  return -1;
}

// Why the last call failed. Empties the error queue, which is one for all streams.
std::string take_reason(const SSL* ssl) {
  const unsigned long cause = ERR_peek_error();
  if (cause == 0) return "";
  std::string reason = tls::take_error();
  if (ERR_GET_LIB(cause) == ERR_LIB_SSL && ERR_GET_REASON(cause) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    reason += std::string(": ") + X509_verify_cert_error_string(SSL_get_verify_result(ssl));
  }
  return reason;
}

}  // namespace

struct Stream::Tls {
  int reads_left = 0;  // outlives the BIO of `ssl`, which points here
  std::unique_ptr<SSL, tls::Release<SSL_free>> ssl;
  std::string failure;
  bool over = false;     // the last call gave bytes and kept the end behind them for the next
  bool starved = false;  // what OpenSSL has read ahead is less than a record
  bool failed = false;   // SSL_shutdown() must not be called any more (its manual page)
};

Stream::Stream(sys::Fd socket) : socket_(std::move(socket)) {}

Stream::~Stream() = default;

Stream::Transfer Stream::read(std::span<char> into) {
  if (tls_) return read_tls(into);
  const ssize_t got = recv(socket_.get(), into.data(), into.size(), MSG_DONTWAIT);
  if (got > 0) return {Result::kDone, static_cast<std::size_t>(got)};
  if (got == 0) return {Result::kEnd};
  return {errno == EINTR || errno == EAGAIN ? Result::kWantsRead : Result::kLost};
}

Stream::Transfer Stream::write(std::string_view bytes) {
  if (tls_) return write_tls(bytes);
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = send(socket_.get(), bytes.data() + sent, bytes.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return {errno == EAGAIN ? Result::kWantsWrite : Result::kLost, sent};
    sent += static_cast<std::size_t>(n);
  }
  return {Result::kDone, sent};
}

// Goes on while there is more without a further system call, or a full record says that there may be.
Stream::Transfer Stream::read_tls(std::span<char> into) {
  tls_->starved = false;
  tls_->over = false;
  tls_->reads_left = kMaxReads;
  Transfer transfer{Result::kDone};
  while (transfer.bytes < into.size()) {
    const std::size_t room = std::min(into.size() - transfer.bytes, kMaxCall);
    ERR_clear_error();
    const int got = SSL_read(tls_->ssl.get(), into.data() + transfer.bytes, static_cast<int>(room));
    if (got <= 0) {
      transfer.result = result_of(got);
      tls_->starved = transfer.result == Result::kWantsRead;
      break;
    }
    transfer.bytes += static_cast<std::size_t>(got);
    if (got < SSL3_RT_MAX_PLAIN_LENGTH && SSL_has_pending(tls_->ssl.get()) == 0) break;
  }
  // What came is handled first: an end or a failure is found again by the next call, which no event of the socket may
  // bring about.
  tls_->over = transfer.bytes > 0 && (transfer.result == Result::kEnd || transfer.result == Result::kLost);
  if (transfer.bytes > 0) transfer.result = Result::kDone;
  return transfer;
}

Stream::Transfer Stream::write_tls(std::string_view bytes) {
  Transfer transfer{Result::kDone};
  while (transfer.bytes < bytes.size()) {
    const std::size_t length = std::min(bytes.size() - transfer.bytes, kMaxCall);
    ERR_clear_error();
    const int sent = SSL_write(tls_->ssl.get(), bytes.data() + transfer.bytes, static_cast<int>(length));
    if (sent <= 0) {
      transfer.result = result_of(sent);
      break;
    }
    transfer.bytes += static_cast<std::size_t>(sent);
  }
  if (transfer.result == Result::kEnd) transfer.result = Result::kLost;
  return transfer;
}

Stream::Result Stream::result_of(int returned) {
  switch (SSL_get_error(tls_->ssl.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return Result::kWantsRead;
    case SSL_ERROR_WANT_WRITE:
      return Result::kWantsWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Result::kEnd;
    default:
      tls_->failed = true;
      tls_->failure = take_reason(tls_->ssl.get());
      return Result::kLost;
  }
}

bool Stream::ready() const { return tls_ && (tls_->over || (!tls_->starved && SSL_has_pending(tls_->ssl.get()) != 0)); }

bool Stream::start_tls(const tls::Context& context) {
  auto tls = std::make_unique<Tls>();
  tls->ssl = context.new_connection();
  SSL* const ssl = tls->ssl.get();
  if (!ssl || SSL_set_fd(ssl, socket_.get()) != 1) {
    ERR_clear_error();
    return false;
  }
  SSL_set_read_ahead(ssl, 1);  // one system call a record, not two
  BIO_set_callback_arg(SSL_get_rbio(ssl), reinterpret_cast<char*>(&tls->reads_left));
  BIO_set_callback_ex(SSL_get_rbio(ssl), count_read);
  tls_ = std::move(tls);
  return true;
}

Stream::Transfer Stream::handshake() {
  tls_->reads_left = kMaxReads;
  ERR_clear_error();
  const int done = SSL_accept(tls_->ssl.get());
  if (done == 1) return {Result::kDone};
  const Result result = result_of(done);
  if (result == Result::kWantsRead || result == Result::kWantsWrite) return {result};
  tls_->failed = true;
  if (tls_->failure.empty()) tls_->failure = "the client closed the connection";
  return {Result::kLost};
}

ssl_st* Stream::tls() const { return tls_ ? tls_->ssl.get() : nullptr; }

std::string Stream::failure() const { return tls_ ? tls_->failure : ""; }

void Stream::say_end() {
  if (!tls_ || tls_->failed || SSL_in_init(tls_->ssl.get())) return;
  ERR_clear_error();
  SSL_shutdown(tls_->ssl.get());
  ERR_clear_error();
}

void Stream::finish() {
  say_end();
  shutdown(socket_.get(), SHUT_WR);
}

bool Stream::discard(std::span<char> scratch) {
  const ssize_t got = recv(socket_.get(), scratch.data(), scratch.size(), MSG_DONTWAIT);
  return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

}  // namespace hooksmtpd::worker
