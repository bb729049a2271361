// The safetensors format: eight bytes with the length of a JSON header, the header, the data.
//
//   { "__metadata__": {…}, "NAME": { "dtype": "BF16", "shape": [out, in], "data_offsets": [b, e] }
//   }
//
// Offsets count from the end of the header. The tensors cover the data without gap or overlap, as
// the format's description demands; the data of a tensor need not be aligned.

#ifndef MOIRE_FRONTENDS_WEIGHTS_SAFETENSORS_H
#define MOIRE_FRONTENDS_WEIGHTS_SAFETENSORS_H

#include "frontends/weights/Container.h"

namespace moire {

/// The reference implementation refuses longer headers, too.
constexpr uint64_t maxSafetensorsHeader = 100'000'000;

/// Parses the bytes of a whole file into `tensors`, whose `file` stays null and whose `offset`
/// counts from the beginning of the file. `name` is the file, for messages. Element types that no
/// StorageType stands for are reported together.
bool parseSafetensors(std::span<const uint8_t> bytes, const std::string &name,
                      std::map<std::string, TensorEntry> &tensors, ReadError &error);

/// Parses model.safetensors.index.json: which file of the same folder holds a tensor.
bool parseSafetensorsIndex(std::string_view text, const std::string &name,
                           std::map<std::string, std::string> &fileOfTensor, ReadError &error);

/// Maps and parses one file and adds its tensors to `tensors`.
bool readSafetensorsFile(const std::string &path, std::map<std::string, TensorEntry> &tensors,
                         ReadError &error);

/// Maps and parses the files that the index at `path` names, all in its folder, and adds the
/// tensors that it lists to `tensors`.
bool readSafetensorsShards(const std::string &path, std::map<std::string, TensorEntry> &tensors,
                           ReadError &error);

} // namespace moire

#endif
