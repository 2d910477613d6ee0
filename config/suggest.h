// "Did you mean": for a word that nobody knows, the nearest one that somebody does.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hooksmtpd::config {

// How many letters must be inserted, left out, replaced or swapped with their neighbour.
std::size_t edit_distance(std::string_view from, std::string_view to);

// Within a third of the word's length; empty where nothing is near. Of equals, the first.
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> known);

// " — did you mean 'banner'?"; where nothing is near and there are few, " — known: a, b, c"; else nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

}  // namespace hooksmtpd::config
