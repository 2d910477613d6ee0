#include "hooks/tcl/server.h"

#include <tcl.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

#include "hooks/tcl/message.h"
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
    if (pipes_.has_line()) turn_again();  // if this one waits for events, the others do not
    reply_to(*line);
  }
  if (!pipes_.flush()) return exit();
  if (again_ != nullptr && !pipes_.has_line()) Tcl_DeleteTimerHandler(std::exchange(again_, nullptr));
}

// What has been read makes no descriptor readable.
void Server::turn_again() {
  if (again_ != nullptr) return;
  again_ = Tcl_CreateTimerHandler(
      0,
      [](ClientData self) {
        static_cast<Server*>(self)->again_ = nullptr;
        static_cast<Server*>(self)->turn();
      },
      this);
}

// A script may have an `exit` of its own, which may return.
void Server::exit() {
  Tcl_DeleteFileHandler(pipes_.requests());
  Tcl_EvalEx(interpreter_, "exit", -1, TCL_EVAL_GLOBAL);
}

void Server::reply_to(std::string_view line) {
  const auto request = hook::parse_beginning(line);
  if (!request) {
    pipes_.out().append("{").append(not_understood(line)).append("}\n");
    return;
  }
  const std::string_view body = answer(request->event, line);
  std::array<char, 20> id;
  const std::to_chars_result end = std::to_chars(id.begin(), id.end(), request->id);
  pipes_.out()
      .append("{\"id\":")
      .append(id.data(), end.ptr)
      .append(",")
      .append(body.empty() ? kAccept : body)
      .append("}\n");
}

// While a callback waits for events more is read, and then the line is gone.
std::string_view Server::answer(std::string_view event, std::string_view line) {
  if (event == "hello") {
    return Words{"::hooksmtpd::hello", line, std::to_string(at_once_)}.call(interpreter_).value_or(kFailed);
  }
  Tcl_Obj* procedure = procedure_of(event);
  if (procedure == nullptr) return kAccept;
  if (!event.starts_with("deliver")) return answer_about_address(procedure, line);
  const auto parts = hook::find_message(event, line);
  return parts ? answer_about_message(procedure, *parts) : not_understood(line);
}

std::string_view Server::not_understood(std::string_view line) {
  log_error("not a request: " + std::string(line.substr(0, kShown)));
  return kNotUnderstood;
}

std::string_view Server::answer_about_address(Tcl_Obj* procedure, std::string_view line) {
  const auto address = find_address(line);
  if (!address) return answer_decoded(procedure, line, nullptr);
  Words words(procedure);
  words.append(value_of(*address));
  return words.call(interpreter_).value_or(kFailed);
}

std::string_view Server::answer_about_message(Tcl_Obj* procedure, const hook::Parts& parts) {
  Tcl_Obj* lines = lines_of(parts.body);
  if (lines == nullptr) return kFailed;
  const auto envelope = find_envelope(parts.head);
  if (!envelope) return answer_decoded(procedure, std::string(parts.head) + "}", lines);
  Words words(procedure);
  words.append(value_of(envelope->from));
  words.append(list_of(envelope->to));
  words.append(lines);
  return words.call(interpreter_).value_or(kFailed);
}

std::string_view Server::answer_decoded(Tcl_Obj* procedure, std::string_view object, Tcl_Obj* lines) {
  Words words{"::hooksmtpd::with_decoded"};
  words.append(procedure);
  words.append(value_of(object));
  if (lines != nullptr) words.append(lines);
  return words.call(interpreter_).value_or(kFailed);
}

// Null if there is none to be had, which is in the log then.
Tcl_Obj* Server::lines_of(const hook::Body& body) {
  if (body.kind == hook::Body::Kind::kBase64) {
    if (!Words{"::binary", "decode", "base64", body.value}.call(interpreter_)) return nullptr;
    int size = 0;
    const unsigned char* octets = Tcl_GetByteArrayFromObj(Tcl_GetObjResult(interpreter_), &size);
    return tcl::lines_of({reinterpret_cast<const char*>(octets), static_cast<std::size_t>(size)});
  }
  const auto text = hook::unescaped(body.value);
  if (!text) return log_error("the message is no JSON string"), nullptr;
  if (body.kind == hook::Body::Kind::kText) return tcl::lines_of(*text);
  const auto message = read_file(*text);
  if (!message) return log_error("cannot read " + *text + ": " + std::strerror(message.error())), nullptr;
  return tcl::lines_of(*message);
}

void Server::log_error(std::string_view text) { Words{"::hooksmtpd::log", "error", text}.call(interpreter_); }

}  // namespace hooksmtpd::tcl
