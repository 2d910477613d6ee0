// The descriptors of a process as a whole.

#pragma once

#include <span>

namespace hooksmtpd::sys {

// Closes every descriptor but 0, 1, 2 and these.
void close_all_but(std::span<const int> kept);

// Makes 0, 1 and 2 /dev/null. Throws std::system_error.
void standard_descriptors_to_null();

// Opens /dev/null on those of 0, 1 and 2 that are closed, so that nothing we open lands there.
void fill_standard_descriptors();

}  // namespace hooksmtpd::sys
