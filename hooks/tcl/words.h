// Tcl values, and commands made of them: each word is one value and never part of a script.

#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

struct Tcl_Interp;
struct Tcl_Obj;

namespace hooksmtpd::tcl {

// New values; whoever gets one counts its references. The texts are in ASCII.
Tcl_Obj* value_of(std::string_view text);
Tcl_Obj* list_of(std::span<const std::string_view> texts);

// The words of a command, at most four of them. Keeps a reference to each.
class Words {
 public:
  Words(std::initializer_list<std::string_view> words);
  explicit Words(Tcl_Obj* word) { append(word); }
  Words(const Words&) = delete;
  ~Words();

  void append(Tcl_Obj* word);

  Tcl_Obj* front() const { return words_[0]; }

  // Calls the command. Its result, which is good until the next call; none if it failed, and its error is in the log
  // then.
  std::optional<std::string_view> call(Tcl_Interp* interpreter) const;

 private:
  std::array<Tcl_Obj*, 4> words_{};
  std::size_t count_ = 0;
};

}  // namespace hooksmtpd::tcl
