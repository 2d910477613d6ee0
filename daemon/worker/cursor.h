// A place in what a worker has counted, as text for people and scripts: "START-SEQUENCE". START tells one worker from
// another, SEQUENCE is how many came before.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hooksmtpd::worker {

std::string to_cursor(std::string_view start, std::uint64_t sequence);

// Where to go on, for the worker `start` that has counted to `newest`. 0 for a cursor of another worker: nobody knows
// any more what that one has counted. Empty: this is no cursor, or one that this worker has not given out.
std::optional<std::uint64_t> place_of(std::string_view cursor, std::string_view start, std::uint64_t newest);

}  // namespace hooksmtpd::worker
