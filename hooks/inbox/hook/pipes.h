// Lines from standard input, lines to standard output, in libevent's loop.

#pragma once

#include <event2/event.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace hooksmtpd::inbox {

class Pipes {
 public:
  // `line` gets each line, without its line feed; `end` is called once when there will be no more.
  Pipes(event_base* base, std::function<void(std::string_view)> line, std::function<void()> end);

  // It is written with all others of the same turn.
  void write(std::string_view line);

 private:
  struct Release {
    void operator()(event* handle) const { event_free(handle); }
  };
  using Event = std::unique_ptr<event, Release>;

  void read();
  void flush();

  std::function<void(std::string_view)> line_;
  std::function<void()> end_;
  std::string in_, out_;
  Event on_input_, on_room_;
};

}  // namespace hooksmtpd::inbox
