// Messages as files to be downloaded.

#pragma once

#include <string>
#include <string_view>

#include "hooks/inbox/api/context.h"

namespace hooksmtpd::inbox::v2 {

// GET export?format=zip|mbox|eml&ids=a,b or &query=…
void export_messages(Context& context, Exchange& exchange);

// A Content-Disposition that suggests this name, and no folder (RFC 6266, RFC 8187).
std::string attachment_header(std::string_view filename);

// Whatever is in it, a browser runs nothing of it.
bool is_harmless_image(std::string_view type);

}  // namespace hooksmtpd::inbox::v2
