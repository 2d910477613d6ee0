// GMime's and GLib's objects, each with one owner.

#pragma once

#include <gmime/gmime.h>

#include <memory>

namespace hooksmtpd::mime {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* handle) const noexcept {
    release(handle);
  }
};
template <class T>
using Object = std::unique_ptr<T, Release<g_object_unref>>;
using Options = std::unique_ptr<GMimeParserOptions, Release<g_mime_parser_options_free>>;
using Text = std::unique_ptr<char, Release<g_free>>;

}  // namespace hooksmtpd::mime
