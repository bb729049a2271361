// A Hugging Face config.json as a flat list of keys.

#ifndef MOIRE_FRONTENDS_WEIGHTS_CONFIG_H
#define MOIRE_FRONTENDS_WEIGHTS_CONFIG_H

#include "frontends/weights/Container.h"

namespace moire {

/// Larger files are no config.json; the largest published ones stay below 1 MB.
constexpr size_t maxConfigBytes = 4 << 20;

/// Flattens the text of a config.json into `metadata`. Keys stay as they are written; the members
/// of a nested object follow its key and a dot ("rope_scaling.factor"), those of an object in a
/// list follow the key and the index ("layers.0.kind"; the list itself then holds null there). A
/// key that is written twice has its last value, as in Python. Integers beyond int64 become
/// doubles. `name` is the file, for messages.
bool parseConfig(std::string_view text, const std::string &name,
                 std::map<std::string, MetadataValue> &metadata, ReadError &error);

/// Adds the one value of generation_config.json that a program needs to know when to stop, as
/// "generation_config.eos_token_id".
bool parseGenerationConfig(std::string_view text, const std::string &name,
                           std::map<std::string, MetadataValue> &metadata, ReadError &error);

} // namespace moire

#endif
