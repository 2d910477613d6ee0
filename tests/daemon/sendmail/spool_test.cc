#include "daemon/sendmail/spool.h"

#include <doctest/doctest.h>

#include <array>

using hooksmtpd::sendmail::Spool;

TEST_CASE("a spool gives back what was put in, from memory and from its file") {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, Spool::kInMemory, Spool::kInMemory + 1, 3 * Spool::kInMemory + 7}) {
    CAPTURE(size);
    Spool spool;
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i % 23);
    for (std::size_t at = 0; at < size; at += 10007) spool.append(std::string_view(text).substr(at, 10007));
    CHECK(spool.size() == size);
    std::string back;
    std::array<char, 4099> piece;
    while (const std::size_t length = spool.read(back.size(), piece)) back.append(piece.data(), length);
    CHECK(back == text);
  }
}
