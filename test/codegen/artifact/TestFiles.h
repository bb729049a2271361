// A folder that is gone after the test, and small helpers around files in it.

#ifndef MOIRE_TEST_CODEGEN_ARTIFACT_TESTFILES_H
#define MOIRE_TEST_CODEGEN_ARTIFACT_TESTFILES_H

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace moire::test {

class TestFolder {
public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "moire-XXXXXX").string();
    name = mkdtemp(pattern.data());
  }
  ~TestFolder() { std::filesystem::remove_all(name); }
  TestFolder(const TestFolder &) = delete;

  std::string operator/(const std::string &file) const { return name + "/" + file; }
  const std::string &path() const { return name; }

  size_t fileCount() const {
    std::filesystem::directory_iterator begin(name), end;
    return std::distance(begin, end);
  }

private:
  std::string name;
};

inline void writeFile(const std::string &path, std::span<const uint8_t> bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char *>(bytes.data()), bytes.size());
}

inline void writeFile(const std::string &path, const std::string &text) {
  writeFile(path, std::span(reinterpret_cast<const uint8_t *>(text.data()), text.size()));
}

inline std::vector<uint8_t> readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

} // namespace moire::test

#endif
