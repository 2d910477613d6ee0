// What the commands of the control socket do and answer (control_request.h has their form).

#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "daemon/launcher/control.h"
#include "daemon/launcher/control_request.h"
#include "daemon/launcher/loop.h"

namespace hooksmtpd::launcher {

class Service;

class Commands {
 public:
  Commands(Loop& loop, sys::Fd listener, Service& service);

  // The worker's share of `status`. False: nobody has asked for that.
  bool worker_status(std::uint32_t token, std::string_view json);

 private:
  using Client = ControlServer::ClientId;

  void line(Client client, std::string_view line);
  void on(Client client, const request::Status& asked);
  void on(Client client, const request::Ready& asked);
  void on(Client client, const request::Configure& asked);
  void on(Client client, const request::Cget& asked);
  void on(Client client, const request::Reload& asked);
  void on(Client client, const request::Stop& asked);
  void on(Client client, const request::Subscribe& asked);
  void on(Client client, const request::Hooks& asked);
  void on(Client client, const request::RestartHook& asked);

  // Who asked for what the worker has a share in.
  struct Waiting {
    Client client;
    enum What : std::uint8_t { kStatus, kHooks } what;
  };

  void answer(Client client, const nlohmann::json& reply);
  void ask_worker(Waiting who);
  void answer_status(std::string_view worker_json);

  Loop& loop_;
  Service& service_;
  ControlServer server_;
  std::uint32_t token_ = 0;              // of the last question to the worker
  std::vector<Waiting> status_waiting_;  // not empty: that question is out
  Timer worker_late_;
};

}  // namespace hooksmtpd::launcher
