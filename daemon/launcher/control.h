// The control socket: several clients, each with one line out for each line in.
//
// Who may connect is a matter of the socket's mode, 0660; who may ask is checked once more by SO_PEERCRED: root, our
// own user, a member of our group. Everything is bounded: clients, the length of a line; and the next line of a client
// is read when the reply to the one before has been taken.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/launcher/loop.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {

class ControlServer {
 public:
  using ClientId = std::uint64_t;
  enum class After : std::uint8_t { kKeep, kClose };

  // `line` must lead to a reply() or hand_over(), at once or later.
  ControlServer(Loop& loop, sys::Fd listener, std::function<void(ClientId, std::string_view line)> line);
  ~ControlServer();

  // To a client that has gone in between: nothing happens.
  void reply(ClientId client, std::string line, After after = After::kKeep);
  // Instead of a reply: the client is somebody else's from now on. Not valid: it has gone.
  sys::Fd hand_over(ClientId client);
  // Whom the kernel says the client is.
  uid_t uid_of(ClientId client) const;

 private:
  struct Client;

  void accept();
  void ready(Client& client, short revents);
  void read_some(Client& client);
  void serve(Client& client);
  void write_some(Client& client);
  void watch(Client& client);
  void drop(Client& client);
  void sweep();

  Loop& loop_;
  sys::Fd listener_;
  std::function<void(ClientId, std::string_view)> line_;
  std::map<ClientId, std::unique_ptr<Client>> clients_;
  ClientId next_id_ = 1;
  Watch accept_;
  Timer accept_again_;
  Timer sweep_;
};

}  // namespace hooksmtpd::launcher
