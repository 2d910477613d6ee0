// What is broken in a part, in sentences: each once, and no more than somebody would read.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hooksmtpd::mime {

class Defects {
 public:
  void add(std::string sentence);

  bool empty() const { return sentences_.empty(); }
  const std::vector<std::string>& sentences() const { return sentences_; }

 private:
  std::vector<std::string> sentences_;
};

// Text from outside, in quotes: printable ASCII, cut.
std::string in_quotes(std::string_view text);

}  // namespace hooksmtpd::mime
