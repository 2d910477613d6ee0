// Runs a script that was written for tcllib's `smtpd` package behind hooksmtpd, unchanged (proto/hook/PROTOCOL.md).
//
//   command = [".../hooks/tcl", "/etc/hooksmtpd/hooks/mail.tcl"]      further arguments are the script's, in argv
//   events = ["validate_host", "validate_sender", "validate_recipient", "deliver"]
//
// With `-j N` before the script the daemon sends up to N requests at once, 1 to 256, which costs less. They are
// answered one after the other: so only if N callbacks together take less than the time limit of one (the event's
// `timeout`).
//
// The script finds a package `smtpd` with the commands of the manual page smtpd(3tcl). Its callbacks are called with
// the same arguments and in the same namespace, and what they do decides what the client hears:
//
//   validate_host IP                      an error:  550 Access denied: MESSAGE
//   validate_sender, _recipient ADDRESS   an error:  553 … mailbox name not allowed; the message goes to the log
//   deliver <SENDER> {<RECIPIENT> …} LINES, or deliverMIME TOKEN
//                                         an error:  554 Transaction failed: MESSAGE, or if -errorcode is a reply code,
//                                                    with or without an enhanced one behind it, that code and MESSAGE
//
// LINES begin with the trace header fields, as there. What differs, and why:
//   - Client text is never code. A callback is a command prefix, and a client's address one word at its end.
//   - The addresses and ports of `start`, the banner and TLS are the configuration's; `start` and `configure` take them
//     and `cget` gives them back. After `stop` further clients hear 421, and sessions go on.
//   - The domain of an address is in lower case.
//   - The null sender of a bounce is accepted without asking validate_sender: no callback expects it (smtpd calls it
//     without an argument, and takes the error for a refusal), and it must be accepted (RFC 5321 §4.5.5).
//   - -errorcode counts if it begins with a reply code; any three digits anywhere in it, CHILDSTATUS and its pid for
//     instance, do not. 421 also ends the connection; 2yz accepts.
//   - A message of several lines is a reply of several lines.
//   - stdout is the log, like stderr, and stdin is empty: `puts` cannot break the protocol.
//
// It needs Debian's tcllib.

#include <sysexits.h>
#include <tcl.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string_view>

#include "hooks/tcl/notifier.h"
#include "hooks/tcl/package.h"
#include "hooks/tcl/pipes.h"
#include "hooks/tcl/server.h"
#include "hooks/tcl/words.h"

namespace {

using namespace hooksmtpd::tcl;

constexpr int kMaxAtOnce = 256;

struct Options {
  int at_once = 1;
  int script = 1;  // index of its name in argv
};

// 0 for what is no number of requests.
int parse_at_once(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), number);
  return error == std::errc{} && end == text.end() && number <= kMaxAtOnce ? number : 0;
}

bool parse(int argc, char** argv, Options& options) {
  if (argc > 1 && std::strcmp(argv[1], "-j") == 0) {
    options = {.at_once = argc > 2 ? parse_at_once(argv[2]) : 0, .script = 3};
  }
  return options.at_once >= 1 && options.script < argc;
}

// As tclsh sets them. `-j N` is ours, the rest the script's.
void set_arguments(Tcl_Interp* interpreter, int argc, char** argv, int script) {
  const auto set = [&](const char* name, Tcl_Obj* value) {
    Tcl_SetVar2Ex(interpreter, name, nullptr, value, TCL_GLOBAL_ONLY);
  };
  const auto value = [](const char* argument) {
    Tcl_DString text;
    Tcl_ExternalToUtfDString(nullptr, argument, -1, &text);
    Tcl_Obj* made = Tcl_NewStringObj(Tcl_DStringValue(&text), Tcl_DStringLength(&text));
    Tcl_DStringFree(&text);
    return made;
  };
  Tcl_Obj* arguments = Tcl_NewListObj(0, nullptr);
  for (int i = script + 1; i < argc; ++i) Tcl_ListObjAppendElement(interpreter, arguments, value(argv[i]));
  set("argv0", value(argv[script]));
  set("argc", Tcl_NewIntObj(argc - script - 1));
  set("argv", arguments);
  set("tcl_interactive", Tcl_NewIntObj(0));
}

int run(int argc, char** argv, const Options& options) {
  const Pipes pipes = take_pipes();
  use_own_notifier();
  Tcl_FindExecutable(argv[0]);
  Tcl_Interp* interpreter = Tcl_CreateInterp();
  set_arguments(interpreter, argc, argv, options.script);
  if (Tcl_Init(interpreter) != TCL_OK ||
      Tcl_EvalEx(interpreter, kPackage.data(), static_cast<int>(kPackage.size()), TCL_EVAL_GLOBAL) != TCL_OK) {
    std::fprintf(stderr, "<3>%s\n", Tcl_GetStringResult(interpreter));
    return EX_UNAVAILABLE;
  }
  Server server(interpreter, pipes, options.at_once);
  Words{"::hooksmtpd::run"}.call(interpreter);
  Tcl_Exit(EX_SOFTWARE);  // it had waited for ever
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fputs("usage: tcl [-j N] SCRIPT [ARGUMENT...]\n", stderr);
    return EX_USAGE;
  }
  try {
    return run(argc, argv, options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "<3>%s\n", error.what());
    return EX_OSERR;
  }
}
