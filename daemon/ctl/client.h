// A connection to the daemon's control socket: one JSON object out, one back.

#pragma once

#include <expected>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
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
  // Until the daemon closes the connection, as it does last of all.
  void wait_for_end();

 private:
  explicit Client(sys::Fd socket) : socket_(std::move(socket)) {}

  sys::Fd socket_;
};

}  // namespace hooksmtpd::ctl
