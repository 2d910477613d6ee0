// Mailpit's API, version 1, as test suites speak it: its paths and its shapes (github.com/axllent/mailpit, docs of API
// v1). routes.cc says which path leads to which of these; `id` may be "latest".

#pragma once

#include <string>

#include "hooks/inbox/api/context.h"

namespace hooksmtpd::inbox::v1 {

// Messages (messages.cc). What is not said to be about some of them is about all.
void list(Context& context, Exchange& exchange, const std::string& query);
void set_read(Context& context, const ExchangePtr& exchange);
void remove(Context& context, const ExchangePtr& exchange);
void remove_found(Context& context, const ExchangePtr& exchange);

// Tags (tags.cc).
void list_tags(Context& context, Exchange& exchange);
void set_tags(Context& context, const ExchangePtr& exchange);
void rename_tag(Context& context, const ExchangePtr& exchange, const std::string& tag);
void delete_tag(Context& context, const ExchangePtr& exchange, const std::string& tag);

// One message (message.cc). Whoever is shown it has read it.
void show(Context& context, const ExchangePtr& exchange, const std::string& id);
void show_headers(Context& context, Exchange& exchange, const std::string& id);
void show_raw(Context& context, Exchange& exchange, const std::string& id);
void show_part(Context& context, Exchange& exchange, const std::string& id, const std::string& number);
void show_thumbnail(Context& context, Exchange& exchange, const std::string& id, const std::string& number);
void view(Context& context, Exchange& exchange, const std::string& id, bool html);

// Mail that comes this way, and goes on (send.cc).
void send(Context& context, const ExchangePtr& exchange);
void release(Context& context, const ExchangePtr& exchange, const std::string& id);

// Faults on purpose (chaos.cc).
void show_chaos(Context& context, const ExchangePtr& exchange);
void set_chaos(Context& context, const ExchangePtr& exchange);

// What may be wrong with it (checks.cc).
void check_html(Context& context, Exchange& exchange, const std::string& id);
void check_links(Context& context, Exchange& exchange, const std::string& id);
void check_spam(Context& context, Exchange& exchange, const std::string& id);

// The inbox itself (about.cc).
void info(Context& context, Exchange& exchange);
void web_ui(Context& context, Exchange& exchange);

}  // namespace hooksmtpd::inbox::v1
