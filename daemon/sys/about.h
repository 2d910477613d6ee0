// What a line of the log is about, for whoever looks for it: fields in the journal, nothing on standard error, where
// the line itself says it. Empty: nothing in particular.

#pragma once

#include <string>
#include <string_view>

namespace hooksmtpd::sys {

struct About {
  std::string_view session{};
  std::string_view transaction{};
  std::string_view hook{};  // its name, whichever instance

  bool empty() const { return session.empty() && transaction.empty() && hook.empty(); }
  friend bool operator==(const About&, const About&) = default;
};

// On the way from the worker to the supervisor it stands before the text, between characters that no text has.
std::string with_about(const About& about, std::string_view text);

struct AboutLine {
  About about;
  std::string_view text;
};
// And back. What is no name or id of ours is left out: the worker is not believed beyond its word.
AboutLine split_about(std::string_view line);

}  // namespace hooksmtpd::sys
