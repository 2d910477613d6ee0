#include "proto/smtp/date.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>

namespace hooksmtpd::smtp {

namespace {

std::string format(const Now& now) {
  using namespace std::chrono;
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_seconds local = now.time + now.utc_offset;
  const sys_days day = floor<days>(local);
  const year_month_day date(day);
  const hh_mm_ss time(local - day);
  const auto offset = std::abs(now.utc_offset.count());
  return fmt::format(FMT_COMPILE("{}, {} {} {} {:02}:{:02}:{:02} {}{:02}{:02}"), kDays[weekday(day).c_encoding()],
                     unsigned{date.day()}, kMonths[unsigned{date.month()} - 1], int{date.year()}, time.hours().count(),
                     time.minutes().count(), time.seconds().count(), now.utc_offset.count() < 0 ? '-' : '+',
                     offset / 60, offset % 60);
}

}  // namespace

// Every message has one, and a second has many messages.
std::string format_date(const Now& now) {
  thread_local Now last{};
  thread_local std::string text = format(last);
  if (now.time != last.time || now.utc_offset != last.utc_offset) text = format(last = now);
  return text;
}

}  // namespace hooksmtpd::smtp
