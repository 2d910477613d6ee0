// What somebody would try who has taken over the worker. An act is one forbidden thing that is done from inside, and
// what it got: "ok", the name of an errno, or what else it saw. One that ends the worker gets nothing; what ended it is
// in the supervisor's log.

#pragma once

#include <unistd.h>

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "daemon/sys/fd.h"

namespace hooksmtpd::evil {

// What a worker has in its hands.
struct Held {
  const sys::Fd& control;  // to the supervisor
  const sys::Fd& spool;
  const sys::Fd& listener;
  sys::Fd keyholder;           // where signatures are asked for; invalid: none was given, or it was closed
  std::vector<sys::Fd> hooks;  // their pipes: kept open, so that they live
};

// What comes after the act's name: a number of a port, a key in hexadecimal, a path.
using Argument = const std::string&;

struct Act {
  std::string_view name;
  std::function<std::string(Held&, Argument)> take;
};

// As the result of a system call.
std::string result(long returned);

// An act that is one system call, by its number: no C library stands between.
template <class... Values>
Act call(std::string_view name, long number, Values... values) {
  const auto word = [](auto value) {
    if constexpr (std::is_pointer_v<decltype(value)> || std::is_null_pointer_v<decltype(value)>) {
      return reinterpret_cast<long>(static_cast<const void*>(value));
    } else {
      return static_cast<long>(value);
    }
  };
  return {name, [=](Held&, Argument) { return result(::syscall(number, word(values)...)); }};
}

std::vector<Act> acts_on_files();
std::vector<Act> acts_on_sockets();
std::vector<Act> acts_on_processes();
std::vector<Act> acts_on_the_kernel();
std::vector<Act> acts_on_the_supervisor();
std::vector<Act> acts_on_the_keyholder();

}  // namespace hooksmtpd::evil
