#include "runtime/Format.h"

#include <cstdarg>
#include <cstdio>

namespace moire {

std::string format(const char *text, ...) {
  va_list arguments, again;
  va_start(arguments, text);
  va_copy(again, arguments);
  int length = vsnprintf(nullptr, 0, text, arguments);
  va_end(arguments);
  std::string out(length > 0 ? length : 0, '\0');
  if (length > 0)
    vsnprintf(out.data(), out.size() + 1, text, again);
  va_end(again);
  return out;
}

std::string formatBytes(uint64_t bytes) {
  if (bytes < 10'000)
    return format("%llu bytes", static_cast<unsigned long long>(bytes));
  static constexpr const char *units[] = {"kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes) / 1e3;
  int unit = 0;
  for (; value >= 1000 && unit < 3; ++unit)
    value /= 1000;
  return format(value < 10 ? "%.2f %s" : "%.1f %s", value, units[unit]);
}

} // namespace moire
