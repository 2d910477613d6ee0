// A picture of nothing.

#pragma once

#include <string>

namespace hooksmtpd::inbox::v1 {

// White, 180 by 120 pixels, as JPEG: the size of Mailpit's thumbnails.
std::string blank_jpeg();

}  // namespace hooksmtpd::inbox::v1
