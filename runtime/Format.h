// Text for messages: printf into a std::string, and sizes as people read them.

#ifndef MOIRE_RUNTIME_FORMAT_H
#define MOIRE_RUNTIME_FORMAT_H

#include <cstdint>
#include <string>

namespace moire {

/// printf, as a string.
std::string format(const char *text, ...) __attribute__((format(printf, 1, 2)));

/// `bytes` with a unit: "812 bytes", "98.4 MB", "1.25 GB" (powers of ten, as file systems count).
std::string formatBytes(uint64_t bytes);

} // namespace moire

#endif
