// What hooks have noted in one session (`notes` of a reply): each gets its own back, with every later request of that
// session. Bounded by what one reply may note, and by how many hooks there are.

#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hooksmtpd::worker {

class Notes {
 public:
  // A JSON object; empty: it has noted nothing.
  std::string_view of(std::string_view hook) const {
    const auto found = std::ranges::find(notes_, hook, &Note::first);
    return found == notes_.end() ? std::string_view() : found->second;
  }

  // In the place of what it had noted before. "{}": it forgets.
  void set(std::string_view hook, std::string notes) {
    const auto found = std::ranges::find(notes_, hook, &Note::first);
    if (notes == "{}") {
      if (found != notes_.end()) notes_.erase(found);
    } else if (found != notes_.end()) {
      found->second = std::move(notes);
    } else {
      notes_.emplace_back(hook, std::move(notes));
    }
  }

  bool empty() const { return notes_.empty(); }

 private:
  using Note = std::pair<std::string, std::string>;
  std::vector<Note> notes_;  // few: one for each hook that notes anything
};

}  // namespace hooksmtpd::worker
