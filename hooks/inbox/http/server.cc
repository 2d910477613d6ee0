#include "hooks/inbox/http/server.h"

#include <event2/util.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace hooksmtpd::inbox {
namespace {

constexpr ev_ssize_t kMaxHeaders = 32 * 1024;
constexpr ev_ssize_t kMaxBody = 64 * 1024 * 1024;  // a message to be sent, with its attachments in base64
constexpr int kTimeout = 120;                      // seconds without an octet
constexpr int kFirstListener = 3;

std::size_t inherited_listeners() {
  const char* const text = std::getenv("LISTEN_FDS");
  std::size_t count = 0;
  if (text) std::from_chars(text, text + std::strlen(text), count);
  return count;
}

Problem refusal(Access access) {
  switch (access) {
    case Access::kWrongHost:
      return {421, "Misdirected Request",
              "this name is none of the inbox's: add it to the option `hosts`, or use localhost"};
    case Access::kOtherSite:
      return {403, "Forbidden", "another site's page may not ask the inbox"};
    case Access::kNoToken:
      return {403, "Forbidden", "a browser has to show the X-Inbox-Token that the page was given"};
    case Access::kNoPassword:
    case Access::kAllowed:
      break;
  }
  return {401, "Unauthorized", "the inbox has a password"};
}

}  // namespace

Server::Server(event_base* base, AccessRules rules, Handler handler)
    : rules_(std::move(rules)), handler_(std::move(handler)), http_(evhttp_new(base)) {
  if (!http_) throw std::runtime_error("evhttp_new failed");
  evhttp_set_max_headers_size(http_.get(), kMaxHeaders);
  evhttp_set_max_body_size(http_.get(), kMaxBody);
  evhttp_set_timeout(http_.get(), kTimeout);
  evhttp_set_default_content_type(http_.get(), nullptr);
  evhttp_set_allowed_methods(http_.get(), EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
                                              EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS);
  evhttp_set_gencb(
      http_.get(), [](evhttp_request* request, void* self) { static_cast<Server*>(self)->answer(request); }, this);
  for (std::size_t i = 0; i < inherited_listeners(); ++i) {
    const int listener = kFirstListener + static_cast<int>(i);
    evutil_make_socket_nonblocking(listener);
    evutil_make_socket_closeonexec(listener);
    if (evhttp_accept_socket(http_.get(), listener) != 0) throw std::runtime_error("a listener cannot be used");
    ++listeners_;
  }
}

void Server::answer(evhttp_request* request) {
  const auto exchange = std::make_shared<Exchange>(request);
  const Asked asked{.path = exchange->path(),
                    .changes = !exchange->reads(),
                    .host = exchange->header("Host"),
                    .origin = exchange->header("Origin"),
                    .fetch_site = exchange->header("Sec-Fetch-Site"),
                    .fetch_mode = exchange->header("Sec-Fetch-Mode"),
                    .fetch_dest = exchange->header("Sec-Fetch-Dest"),
                    .token = exchange->header("X-Inbox-Token"),
                    .authorization = exchange->header("Authorization")};
  const Access access = check_access(rules_, asked);
  if (access == Access::kAllowed) return handler_(exchange);
  if (access == Access::kNoPassword) {
    return exchange->reply(401, kPlain, "the inbox has a password\n", {{"WWW-Authenticate", "Basic realm=\"inbox\""}});
  }
  exchange->reply(refusal(access));
}

}  // namespace hooksmtpd::inbox
