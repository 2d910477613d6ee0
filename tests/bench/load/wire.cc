#include "tests/bench/load/wire.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>

namespace hooksmtpd::bench {

void TlsClient::Release::operator()(ssl_ctx_st* context) const noexcept { SSL_CTX_free(context); }
void TlsClient::Release::operator()(ssl_session_st* session) const noexcept { SSL_SESSION_free(session); }
// As if both had said good bye: else OpenSSL would never resume this session.
void Wire::Release::operator()(ssl_st* tls) const noexcept {
  SSL_set_shutdown(tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(tls);
}

TlsClient::TlsClient(Sessions sessions) : context_(SSL_CTX_new(TLS_client_method())) {
  if (!context_) throw std::runtime_error("no TLS");
  SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);  // a server may just close after QUIT
  if (sessions == Sessions::kNew) return;
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_app_data(context_.get(), this);
  SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* tls, SSL_SESSION* session) {
    static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls)))->session_.reset(session);
    return 1;  // it is ours
  });
}

TlsClient::~TlsClient() = default;

Wire::Wire(int fd, TlsClient& client) : fd_(fd), tls_(SSL_new(client.context_.get())) {
  SSL_set_fd(tls_.get(), fd);
  SSL_set_connect_state(tls_.get());
  resumes_ = client.session_ != nullptr;
  if (!resumes_) return;
  // A copy: OpenSSL would use a session of TLS 1.3 only once, and not every server sends another.
  const std::unique_ptr<ssl_session_st, TlsClient::Release> copy(SSL_SESSION_dup(client.session_.get()));
  SSL_set_session(tls_.get(), copy.get());
}

Wire::State Wire::state_after(int result) const {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return State::kWaits;
    case SSL_ERROR_ZERO_RETURN:
      return State::kEnd;
    default:
      return State::kBroken;
  }
}

Wire::State Wire::handshake() {
  if (!tls_ || SSL_is_init_finished(tls_.get())) return State::kOk;
  ERR_clear_error();
  const int result = SSL_do_handshake(tls_.get());
  if (result != 1) return state_after(result);
  return resumes_ && !SSL_session_reused(tls_.get()) ? State::kBroken : State::kOk;
}

Wire::State Wire::read(std::span<char> buffer, std::size_t& length) {
  if (tls_) {
    ERR_clear_error();  // what another connection has left there would count for this one
    const int result = SSL_read_ex(tls_.get(), buffer.data(), buffer.size(), &length);
    return result == 1 ? State::kOk : state_after(result);
  }
  const ssize_t received = recv(fd_, buffer.data(), buffer.size(), 0);
  if (received < 0) return errno == EAGAIN ? State::kWaits : State::kBroken;
  length = static_cast<std::size_t>(received);
  return received == 0 ? State::kEnd : State::kOk;
}

Wire::State Wire::write(std::string_view text, std::size_t& length) {
  if (tls_) {
    ERR_clear_error();
    const int result = SSL_write_ex(tls_.get(), text.data(), text.size(), &length);
    return result == 1 ? State::kOk : state_after(result);
  }
  const ssize_t sent = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN ? State::kWaits : State::kBroken;
  length = static_cast<std::size_t>(sent);
  return State::kOk;
}

}  // namespace hooksmtpd::bench
