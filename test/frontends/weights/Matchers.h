// Readable checks of metadata and errors.

#ifndef MOIRE_TEST_FRONTENDS_WEIGHTS_MATCHERS_H
#define MOIRE_TEST_FRONTENDS_WEIGHTS_MATCHERS_H

#include "frontends/weights/Container.h"
#include "gtest/gtest.h"

namespace moire {

/// The value of type T at `key`; a failure and T() if there is none.
template <typename T>
T metadataAt(const std::map<std::string, MetadataValue> &metadata, const std::string &key) {
  auto entry = metadata.find(key);
  const T *value = entry == metadata.end() ? nullptr : std::get_if<T>(&entry->second.value);
  EXPECT_TRUE(value) << key << (entry == metadata.end() ? " is missing" : " has another type");
  return value ? *value : T();
}

/// An input, and how its reader must refuse it.
struct Malformed {
  const char *what;
  std::string bytes;
  std::string message; // a part of it
  ReadError::Kind kind = ReadError::Kind::BadInput;
};

inline void expectRefused(const Malformed &input, bool accepted, const ReadError &error) {
  EXPECT_FALSE(accepted) << input.what;
  EXPECT_EQ(error.kind, input.kind) << input.what;
  EXPECT_NE(error.message.find(input.message), std::string::npos)
      << input.what << "\n  expected: " << input.message << "\n  found:    " << error.message;
}

} // namespace moire

#endif
