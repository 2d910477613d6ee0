// The web server: evhttp on the listeners that the inbox was started with.

#pragma once

#include <event2/event.h>
#include <event2/http.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hooks/inbox/http/access.h"
#include "hooks/inbox/http/exchange.h"

namespace hooksmtpd::inbox {

class Server {
 public:
  // Gets the exchange, whose answer it owes; it lives until that has been given.
  using Handler = std::function<void(std::shared_ptr<Exchange>)>;

  // Serves on descriptors 3 and up, as LISTEN_FDS says (sd_listen_fds(3)); none: nobody is served.
  Server(event_base* base, AccessRules rules, Handler handler);

  std::size_t listeners() const { return listeners_; }

 private:
  struct Release {
    void operator()(evhttp* http) const { evhttp_free(http); }
  };
  void answer(evhttp_request* request);

  AccessRules rules_;
  Handler handler_;
  std::unique_ptr<evhttp, Release> http_;
  std::size_t listeners_ = 0;
};

}  // namespace hooksmtpd::inbox
