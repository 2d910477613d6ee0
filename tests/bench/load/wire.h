// The octets of one connection: as they are, or through TLS. Never blocks.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;

namespace hooksmtpd::bench {

// What the connections of one run share: how they speak TLS, and the session that the next one resumes.
class TlsClient {
 public:
  enum class Sessions { kNew, kResume };

  explicit TlsClient(Sessions sessions);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

 private:
  friend class Wire;
  struct Release {
    void operator()(ssl_ctx_st* context) const noexcept;
    void operator()(ssl_session_st* session) const noexcept;
  };

  std::unique_ptr<ssl_ctx_st, Release> context_;
  std::unique_ptr<ssl_session_st, Release> session_;
};

class Wire {
 public:
  enum class State { kOk, kWaits, kEnd, kBroken };  // kWaits: for the socket; kEnd: the peer has closed

  Wire() = default;
  explicit Wire(int fd) : fd_(fd) {}
  // `client` outlives it.
  Wire(int fd, TlsClient& client);
  Wire(Wire&&) noexcept = default;
  Wire& operator=(Wire&&) noexcept = default;

  // kOk once TLS is on, at once without. kBroken: also if a session was to be resumed and was not.
  State handshake();
  // `length`: octets read, or written.
  State read(std::span<char> buffer, std::size_t& length);
  State write(std::string_view text, std::size_t& length);

 private:
  struct Release {
    void operator()(ssl_st* tls) const noexcept;
  };
  State state_after(int result) const;

  int fd_ = -1;
  std::unique_ptr<ssl_st, Release> tls_;
  bool resumes_ = false;
};

}  // namespace hooksmtpd::bench
