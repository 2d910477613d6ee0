// The description of /api/v2 (OpenAPI 3.1): openapi.json, which is part of the program, and served beside what it
// describes.

#pragma once

#include <span>

#include "hooks/inbox/page/page.h"

namespace hooksmtpd::inbox::description {

std::span<const page::File> files();

}  // namespace hooksmtpd::inbox::description
