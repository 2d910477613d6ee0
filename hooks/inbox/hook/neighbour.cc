#include "hooks/inbox/hook/neighbour.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/util.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

namespace hooksmtpd::inbox {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxAnswer = 64 * 1024;  // octets

// Where no namespace keeps a hook from the sockets of others, a filter keeps it from making any.
std::string reason_of(int error) {
  if (error != EAFNOSUPPORT) return std::strerror(error);
  return "the inbox may open no socket at this isolation level; it may where hooksmtpd is started as root, or user "
         "namespaces are allowed";
}

// A descriptor; the error is an errno. A unix socket is connected at once, or not at all.
std::expected<int, int> connect_to(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  assert(path.native().size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.c_str(), path.native().size() + 1);
  const int stream = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (stream < 0) return std::unexpected(errno);
  if (connect(stream, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    close(stream);
    return std::unexpected(error);
  }
  return stream;
}

// One question. It owns itself, and goes with its answer.
class Question {
 public:
  Question(event_base* base, int stream, Answered answered)
      : answered_(std::move(answered)), stream_(bufferevent_socket_new(base, stream, BEV_OPT_CLOSE_ON_FREE)) {
    bufferevent_setcb(
        stream_.get(), [](bufferevent*, void* self) { static_cast<Question*>(self)->read(); }, nullptr,
        [](bufferevent*, short what, void* self) { static_cast<Question*>(self)->ended(what); }, this);
  }

  void ask(std::string_view question, std::chrono::seconds limit) {
    const timeval time{.tv_sec = limit.count(), .tv_usec = 0};
    bufferevent_set_timeouts(stream_.get(), &time, &time);
    bufferevent_write(stream_.get(), question.data(), question.size());
    bufferevent_enable(stream_.get(), EV_READ | EV_WRITE);
  }

 private:
  void read() {
    evbuffer* const in = bufferevent_get_input(stream_.get());
    std::size_t size = 0;
    const std::unique_ptr<char, decltype(&free)> line(evbuffer_readln(in, &size, EVBUFFER_EOL_LF), free);
    if (!line) {
      if (evbuffer_get_length(in) > kMaxAnswer) end(std::unexpected("its answer is too long"));
      return;
    }
    auto answer = Json::parse(std::string_view(line.get(), size), nullptr, false);
    if (!answer.is_object()) return end(std::unexpected("its answer is not understood"));
    end(std::move(answer));
  }

  void ended(short what) {
    if ((what & BEV_EVENT_TIMEOUT) != 0) return end(std::unexpected("it takes too long"));
    if ((what & BEV_EVENT_ERROR) != 0) {
      return end(std::unexpected(std::string(evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()))));
    }
    end(std::unexpected("it has hung up"));
  }

  void end(std::expected<Json, std::string> answer) {
    const Answered answered = std::move(answered_);
    delete this;
    answered(std::move(answer));
  }

  struct Release {
    void operator()(bufferevent* stream) const { bufferevent_free(stream); }
  };
  Answered answered_;
  std::unique_ptr<bufferevent, Release> stream_;
};

}  // namespace

void ask_neighbour(event_base* base, const std::filesystem::path& socket, std::string_view question,
                   std::chrono::seconds limit, Answered answered) {
  const auto stream = connect_to(socket);
  if (!stream) return answered(std::unexpected(reason_of(stream.error())));
  (new Question(base, *stream, std::move(answered)))->ask(question, limit);
}

}  // namespace hooksmtpd::inbox
