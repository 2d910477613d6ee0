// Several words in one sentence: "a, b, c".

#pragma once

#include <span>
#include <string>

namespace hooksmtpd::launcher {

std::string comma_list(std::span<const std::string> words);

}  // namespace hooksmtpd::launcher
