#include "hooks/inbox/api/v1/shapes.h"

#include <glib.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "hooks/inbox/api/asked.h"
#include "hooks/inbox/api/shapes.h"

namespace hooksmtpd::inbox::v1 {
namespace {

std::string checksum(GChecksumType type, const std::string& octets) {
  const std::unique_ptr<char, void (*)(gpointer)> hexadecimal(
      g_compute_checksum_for_data(type, reinterpret_cast<const guchar*>(octets.data()), octets.size()), g_free);
  return hexadecimal.get();
}

}  // namespace

Json to_json(const Address& address) { return {{"Name", address.name}, {"Address", address.address}}; }

Json to_json(const Addresses& addresses) {
  Json list = Json::array();
  for (const Address& one : addresses) list.push_back(to_json(one));
  return list;
}

Json summary(const Message& message) {
  const Summary& one = message.summary;
  return {{"ID", one.id},
          {"MessageID", one.message_id},
          {"Read", !one.unread},
          {"From", one.from ? to_json(*one.from) : Json(nullptr)},
          {"To", to_json(one.to)},
          {"Cc", to_json(one.cc)},
          {"Bcc", to_json(message.bcc)},
          {"ReplyTo", to_json(message.reply_to)},
          {"Subject", one.subject},
          {"Created", v2::to_text(one.received)},
          {"Username", one.user},
          {"Tags", one.tags},
          {"Size", one.size},
          {"Attachments", one.attachments},
          {"Snippet", one.snippet}};
}

Json attachment(const Opened& opened, const mime::Node& part) {
  const std::string octets = opened.octets(part);
  return {{"PartID", part.number},
          {"FileName", part.content.filename.value_or("")},
          {"ContentType", part.content.type},
          {"ContentID", part.content.id.value_or("")},
          {"Size", octets.size()},
          {"Checksums",
           {{"MD5", checksum(G_CHECKSUM_MD5, octets)},
            {"SHA1", checksum(G_CHECKSUM_SHA1, octets)},
            {"SHA256", checksum(G_CHECKSUM_SHA256, octets)}}}};
}

Store::Changed ok(const ExchangePtr& exchange) {
  return [exchange](std::size_t, const std::optional<WriteFailure>& failure) {
    if (failure) return exchange->reply(problem_of(*failure));
    exchange->reply(HTTP_OK, kPlain, "ok");
  };
}

}  // namespace hooksmtpd::inbox::v1
