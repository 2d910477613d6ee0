#include "daemon/launcher/control.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

namespace hooksmtpd::launcher {
namespace {

constexpr std::size_t kMaxClients = 32;
constexpr std::size_t kMaxLine = 64 * 1024;
constexpr Loop::Milliseconds kNoDescriptors{100};

constexpr std::string_view kTooMany =
    R"({"ok":false,"kind":"unavailable","error":"too many clients on the control socket"})"
    "\n";
constexpr std::string_view kTooLong = R"({"ok":false,"kind":"usage","error":"a request has at most 64 KiB"})";
constexpr std::string_view kNotYou =
    R"({"ok":false,"kind":"permission","error":"only root and the user and group of the daemon may ask"})"
    "\n";

bool in_our_group(int socket, gid_t primary) {
  if (primary == ::getegid()) return true;
  std::array<gid_t, 256> groups{};
  socklen_t size = sizeof groups;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) return false;
  const auto known = std::span(groups).first(std::min(groups.size(), size / sizeof(gid_t)));
  return std::ranges::find(known, ::getegid()) != known.end();
}

bool may_ask(int socket, const ucred& peer) {
  return peer.uid == 0 || peer.uid == ::geteuid() || in_our_group(socket, peer.gid);
}

}  // namespace

struct ControlServer::Client {
  Client(ControlServer& server, ClientId number, sys::Fd fd, uid_t user)
      : id(number),
        socket(std::move(fd)),
        uid(user),
        watch(server.loop_, [&server, this](short revents) { server.ready(*this, revents); }) {}

  const ClientId id;
  sys::Fd socket;
  const uid_t uid;
  std::string in;
  std::string out;
  bool asked = false;  // its request is being answered
  bool serving = false;
  bool eof = false;  // it asks nothing more
  After after = After::kKeep;
  Watch watch;
};

ControlServer::ControlServer(Loop& loop, sys::Fd listener, std::function<void(ClientId, std::string_view)> line)
    : loop_(loop),
      listener_(std::move(listener)),
      line_(std::move(line)),
      accept_(loop, [this](short) { accept(); }),
      accept_again_(loop, [this] { accept_.start(listener_.get(), POLLIN); }),
      sweep_(loop, [this] { sweep(); }) {
  if (listener_.valid()) accept_.start(listener_.get(), POLLIN);
}

ControlServer::~ControlServer() = default;

void ControlServer::accept() {
  sys::Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.valid()) {
    if (errno != EMFILE && errno != ENFILE) return;
    accept_.stop();  // the connection stays there: trying at once again would spin
    return accept_again_.start(kNoDescriptors);
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool known = ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  if (!known || !may_ask(socket.get(), peer)) {
    ::send(socket.get(), kNotYou.data(), kNotYou.size(), MSG_NOSIGNAL);
    return;
  }
  if (clients_.size() >= kMaxClients) {
    ::send(socket.get(), kTooMany.data(), kTooMany.size(), MSG_NOSIGNAL);
    return;
  }
  const ClientId id = next_id_++;
  auto client = std::make_unique<Client>(*this, id, std::move(socket), peer.uid);
  watch(*client);
  clients_.emplace(id, std::move(client));
}

// Reads only while nothing is being answered; that the client has gone is always told.
void ControlServer::watch(Client& client) {
  short events = 0;
  if (!client.out.empty()) events = POLLOUT;
  if (client.out.empty() && !client.asked && !client.eof) events = POLLIN;
  client.watch.start(client.socket.get(), events);
}

void ControlServer::ready(Client& client, short revents) {
  if ((revents & POLLOUT) != 0) {
    write_some(client);
    if (client.socket.valid()) serve(client);
  } else if ((revents & POLLIN) != 0) {
    read_some(client);
  } else if ((revents & (POLLHUP | POLLERR)) != 0) {
    drop(client);
  }
}

void ControlServer::read_some(Client& client) {
  std::array<char, 4096> piece;
  const ssize_t got = ::read(client.socket.get(), piece.data(), piece.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got < 0) return drop(client);
  if (got == 0) client.eof = true;
  client.in.append(piece.data(), static_cast<std::size_t>(got));
  serve(client);
}

// One request after another, each when the one before is answered and its reply is taken.
void ControlServer::serve(Client& client) {
  client.serving = true;
  while (client.socket.valid() && !client.asked && client.out.empty()) {
    const std::size_t end = client.in.find('\n');
    if (end == std::string::npos) break;
    const std::string line = client.in.substr(0, end);
    client.in.erase(0, end + 1);
    client.asked = true;
    line_(client.id, line);
  }
  client.serving = false;
  if (!client.socket.valid()) return;

  if (client.in.size() > kMaxLine && !client.asked && client.out.empty()) {
    client.asked = true;
    return reply(client.id, std::string(kTooLong), After::kClose);
  }
  if (client.eof && !client.asked && client.out.empty()) return drop(client);
  watch(client);
}

void ControlServer::reply(ClientId id, std::string line, After after) {
  const auto found = clients_.find(id);
  if (found == clients_.end() || !found->second->asked) return;
  Client& client = *found->second;
  client.asked = false;
  client.after = after;
  client.out = std::move(line);
  client.out += '\n';
  write_some(client);
  if (!client.serving && client.socket.valid()) serve(client);
}

sys::Fd ControlServer::hand_over(ClientId id) {
  const auto found = clients_.find(id);
  if (found == clients_.end() || !found->second->asked) return {};
  Client& client = *found->second;
  client.watch.stop();
  sys::Fd socket = std::move(client.socket);
  drop(client);
  return socket;
}

void ControlServer::write_some(Client& client) {
  while (!client.out.empty()) {
    const ssize_t sent = ::send(client.socket.get(), client.out.data(), client.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) return drop(client);
    client.out.erase(0, static_cast<std::size_t>(sent));
  }
  if (client.after == After::kClose) drop(client);
}

void ControlServer::drop(Client& client) {
  client.watch.stop();
  client.socket.reset();
  client.asked = false;
  sweep_.start(Loop::Milliseconds(0));  // not here: this may run in a callback of its own watch
}

void ControlServer::sweep() {
  std::erase_if(clients_, [](const auto& entry) { return !entry.second->socket.valid(); });
}

uid_t ControlServer::uid_of(ClientId client) const {
  const auto found = clients_.find(client);
  return found == clients_.end() ? static_cast<uid_t>(-1) : found->second->uid;
}

}  // namespace hooksmtpd::launcher
