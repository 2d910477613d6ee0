#include "hooks/tcl/server.h"

#include <tcl.h>

#include <array>
#include <charconv>
#include <chrono>
#include <iterator>
#include <string>
#include <utility>

#include "hooks/tcl/request.h"
#include "hooks/tcl/words.h"

namespace hooksmtpd::tcl {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::string_view_literals;

constexpr std::chrono::milliseconds kAWhile{2};  // that a reply may wait for others
constexpr std::size_t kShown = 100;              // octets of what is no request
constexpr auto kAccept = "\"action\":\"accept\""sv;
constexpr auto kFailed = R"("action":"defer","code":451,"enhanced":"4.3.0","text":"the tcl hook has failed")"sv;
constexpr auto kNotUnderstood =
    R"("action":"defer","code":451,"enhanced":"4.3.0","text":"the tcl hook has not understood the request")"sv;

// The procedure that calls back for an event, or null. Its name remembers it once it was called.
Tcl_Obj* procedure_of(std::string_view event) {
  struct Row {
    std::string_view event;
    Words procedure;
  };
  static const std::array kRows{Row{"validate_host", Words{"::hooksmtpd::validate_host"}},
                                Row{"validate_sender", Words{"::hooksmtpd::validate_sender"}},
                                Row{"validate_recipient", Words{"::hooksmtpd::validate_recipient"}},
                                Row{"deliver", Words{"::hooksmtpd::deliver"}},
                                Row{"deliver_mime", Words{"::hooksmtpd::deliver"}}};
  for (const Row& row : kRows) {
    if (row.event == event) return row.procedure.front();
  }
  return nullptr;
}

}  // namespace

Server::Server(Tcl_Interp* interpreter, Pipes pipes, int at_once)
    : interpreter_(interpreter), pipes_(std::move(pipes)), at_once_(at_once) {
  Tcl_CreateObjCommand(
      interpreter_, "::hooksmtpd::serve",
      [](ClientData self, Tcl_Interp*, int, Tcl_Obj* const*) {
        static_cast<Server*>(self)->serve();
        return TCL_OK;
      },
      this, nullptr);
  // A callback may call `exit`. What was said before is said.
  Tcl_CreateExitHandler([](ClientData self) { static_cast<Server*>(self)->pipes_.flush(); }, this);
}

void Server::serve() {
  if (std::exchange(serving_, true)) return;
  Tcl_CreateFileHandler(
      pipes_.requests(), TCL_READABLE, [](ClientData self, int) { static_cast<Server*>(self)->readable(); }, this);
}

void Server::readable() {
  if (!pipes_.has_line() && !pipes_.read()) return exit();
  turn();
}

void Server::turn() {
  const auto due = Clock::now() + kAWhile;
  for (int count = 0; count < at_once_ && Clock::now() <= due; ++count) {
    const auto line = pipes_.next_line();
    if (!line) break;
    reply_to(*line);
  }
  if (!pipes_.flush()) return exit();
  if (pipes_.has_line()) turn_again();
}

// What has been read makes no descriptor readable.
void Server::turn_again() {
  if (std::exchange(again_, true)) return;
  Tcl_CreateTimerHandler(
      0,
      [](ClientData self) {
        static_cast<Server*>(self)->again_ = false;
        static_cast<Server*>(self)->turn();
      },
      this);
}

// A script may have an `exit` of its own, which may return.
void Server::exit() {
  Tcl_DeleteFileHandler(pipes_.requests());
  Tcl_EvalEx(interpreter_, "exit", -1, TCL_EVAL_GLOBAL);
}

// While a callback waits for events more is read, and then the line is gone.
void Server::reply_to(std::string_view line) {
  const auto request = parse_request(line);
  if (!request) {
    Words({"::hooksmtpd::log", "error", "not a request: " + std::string(line.substr(0, kShown))}).call(interpreter_);
    pipes_.out().append("{").append(kNotUnderstood).append("}\n");
    return;
  }
  std::string_view body;
  if (Tcl_Obj* procedure = procedure_of(request->event)) {
    body = answer_of_callback(procedure, line);
  } else if (request->event == "hello") {
    body = Words({"::hooksmtpd::hello", line, std::to_string(at_once_)}).call(interpreter_).value_or(kFailed);
  }
  std::array<char, 20> id;
  const std::to_chars_result end = std::to_chars(id.begin(), id.end(), request->id);
  pipes_.out()
      .append("{\"id\":")
      .append(id.data(), end.ptr)
      .append(",")
      .append(body.empty() ? kAccept : body)
      .append("}\n");
}

std::string_view Server::answer_of_callback(Tcl_Obj* procedure, std::string_view line) {
  const auto subject = find_subject(line);
  if (!subject) {
    Words words{"::hooksmtpd::with_decoded"};
    words.append(procedure);
    words.append(value_of(line));
    return words.call(interpreter_).value_or(kFailed);
  }
  Words words(procedure);
  if (subject->message) {
    words.append(value_of(subject->message->from));
    words.append(list_of(subject->message->to));
  }
  words.append(value_of(subject->last));
  return words.call(interpreter_).value_or(kFailed);
}

}  // namespace hooksmtpd::tcl
