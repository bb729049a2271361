// The GGUF format, versions 2 and 3: a header, metadata, descriptions of tensors, aligned data.
//
//   "GGUF" u32 version, u64 tensors, u64 metadata
//   metadata × { string key, u32 type, value }            string: u64 bytes, UTF-8
//   tensors × { string name, u32 n, u64 dimensions[n], u32 type, u64 offset }
//   padding to general.alignment (32), data; offsets count from here
//
// Dimensions come fastest first and are reversed into row-major order.

#ifndef MOIRE_FRONTENDS_WEIGHTS_GGUF_H
#define MOIRE_FRONTENDS_WEIGHTS_GGUF_H

#include "frontends/weights/Container.h"

namespace moire {

/// All lists of a file together may have so many elements: an element takes some 40 bytes in memory
/// but may take one in the file. The largest vocabularies need some two million.
constexpr uint64_t maxGgufListElements = 8'000'000;
/// Lists of lists of … deeper than this are refused; published files have none at all.
constexpr unsigned maxGgufListDepth = 4;
/// ggml has no tensors of more dimensions.
constexpr uint32_t maxGgufDimensions = 4;

/// Parses the bytes of a whole file. The tensors' `file` stays null; their `offset` counts from the
/// beginning of the file. `name` is the file, for messages. Element types that no StorageType
/// stands for are reported together, by ggml's names.
bool parseGguf(std::span<const uint8_t> bytes, const std::string &name,
               std::map<std::string, MetadataValue> &metadata,
               std::map<std::string, TensorEntry> &tensors, ReadError &error);

} // namespace moire

#endif
