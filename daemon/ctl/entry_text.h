// One line of the trace for people:
//
//   17:20:11.482 c7f3a1 S: 220 mail.test ready
//   17:20:11.490 c7f3a1 C: EHLO x
//   17:20:11.491 c7f3a1 H? policy/1 validate_recipient {"v":1,"id":7,…}
//   17:20:11.494 c7f3a1 H: policy/1 validate_recipient reject 550 no such user (3.2 ms): reject 550 no such user

#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace hooksmtpd::ctl {

enum class Colours { kOff, kOn };

// Without its end. Whatever the entry says, it is one line, and nothing in it moves the cursor.
std::string entry_text(const nlohmann::ordered_json& entry, Colours colours);

// What pattern files compare: "S: …", "C: …", "C: <1834 octets>", "H: policy validate_recipient reject"; empty: the
// entry is nothing that they know.
std::string dialogue_line(const nlohmann::ordered_json& entry);

}  // namespace hooksmtpd::ctl
