#include "daemon/keyholder/client.h"

#include <sys/socket.h>

#include <cerrno>

#include "daemon/keyholder/sign.h"

namespace hooksmtpd::keyholder {

Client::End Client::serve(const Answer& answer) {
  sys::SignRequest request;
  // MSG_TRUNC: the length of the packet, even where it is more than we take.
  const ssize_t got = ::recv(socket_.get(), &request, sizeof request, MSG_DONTWAIT | MSG_TRUNC);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? End::kNotYet : End::kClosed;
  if (got == 0) return End::kClosed;
  if (got != static_cast<ssize_t>(sizeof request) || !is_well_formed(request)) return End::kBroken;

  const sys::SignReply reply = answer(request);
  const ssize_t sent = ::send(socket_.get(), &reply, sizeof reply, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(sizeof reply)) return End::kNotYet;
  return errno == EAGAIN ? End::kDeaf : End::kClosed;
}

}  // namespace hooksmtpd::keyholder
