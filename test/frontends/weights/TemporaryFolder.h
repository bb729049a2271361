// A folder that lives as long as a test.

#ifndef MOIRE_TEST_FRONTENDS_WEIGHTS_TEMPORARYFOLDER_H
#define MOIRE_TEST_FRONTENDS_WEIGHTS_TEMPORARYFOLDER_H

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace moire {

class TemporaryFolder {
public:
  TemporaryFolder() : folder((std::filesystem::temp_directory_path() / "moire-XXXXXX").string()) {
    if (!mkdtemp(folder.data()))
      std::abort();
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;

  const std::string &path() const { return folder; }
  std::string operator/(std::string_view name) const { return folder + "/" + std::string(name); }
  void write(std::string_view name, std::string_view content) const {
    std::ofstream(*this / name, std::ios::binary) << content;
  }

private:
  std::string folder;
};

} // namespace moire

#endif
