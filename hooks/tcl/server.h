// Requests in, replies out: what stands between the daemon's pipes and the procedures of smtpd.tcl.
//
// Answers what has come, and gives the event loop its turn: what the script waits for may have come of it. Replies
// leave together, unless that would keep the first ones waiting. A callback may wait for events itself (vwait), and
// then others are answered meanwhile.

#pragma once

#include <cstddef>
#include <string_view>

#include "hooks/tcl/pipes.h"
#include "proto/hook/request_line.h"

struct Tcl_Interp;
struct Tcl_Obj;
struct Tcl_TimerToken_;

namespace hooksmtpd::tcl {

class Server {
 public:
  // `at_once`: how many requests the daemon may have out. Adds the command `serve`, which begins, to ::hooksmtpd. When
  // nobody asks any more, or listens, it calls `exit`. Lives as long as the process.
  Server(Tcl_Interp* interpreter, Pipes pipes, int at_once);
  Server(const Server&) = delete;

 private:
  void serve();
  void readable();
  void turn();
  void turn_again();
  void exit();

  void reply_to(std::string_view line);
  // What a reply says besides its id, here and below; nothing is a yes.
  std::string_view answer(std::string_view event, std::string_view line);
  std::string_view answer_about_address(Tcl_Obj* procedure, std::string_view line);
  std::string_view answer_about_message(Tcl_Obj* procedure, const hook::Parts& parts);
  // `object` is JSON that needs a parser.
  std::string_view answer_decoded(Tcl_Obj* procedure, std::string_view object, Tcl_Obj* lines);
  Tcl_Obj* lines_of(const hook::Body& body);
  std::string_view not_understood(std::string_view line);
  void log_error(std::string_view text);

  Tcl_Interp* interpreter_;
  Pipes pipes_;
  int at_once_;
  bool serving_ = false;
  Tcl_TimerToken_* again_ = nullptr;  // another turn is due
};

}  // namespace hooksmtpd::tcl
