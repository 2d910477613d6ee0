// A connection to the daemon's control socket: one JSON object out, one back; or, after a subscription, one after
// another.

#pragma once

#include <expected>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "daemon/sys/fd.h"

namespace hooksmtpd::ctl {

// Why there is no answer; `status` is one of sysexits.h.
struct Failure {
  int status;
  std::string kind;   // "not-running", "permission", "protocol"
  std::string error;  // for people
};

class Client {
 public:
  static std::expected<Client, Failure> connect(const std::filesystem::path& socket);

  std::expected<nlohmann::json, Failure> ask(const nlohmann::json& request);
  // A line that has arrived, without its end; empty: none is whole yet. receive() first.
  std::optional<std::string> take_line();
  // Waits for the daemon to say something. False: it has closed the connection, or said nothing for too long.
  bool receive();
  int descriptor() const { return socket_.get(); }
  // Until the daemon closes the connection, as it does last of all.
  void wait_for_end();

 private:
  explicit Client(sys::Fd socket) : socket_(std::move(socket)) {}

  sys::Fd socket_;
  std::string received_{};
  std::size_t looked_at_ = 0;  // of received_: there is no line end
};

}  // namespace hooksmtpd::ctl
