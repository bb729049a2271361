// The grids of ggml's IQ formats: points that a quant chooses among, in the order of their numbers.

#ifndef MOIRE_FRONTENDS_WEIGHTS_IQGRIDS_H
#define MOIRE_FRONTENDS_WEIGHTS_IQGRIDS_H

#include <array>
#include <cstddef>
#include <cstdint>

namespace moire {

template <size_t points, size_t coordinates>
using IqGrid = std::array<std::array<int8_t, coordinates>, points>;

const IqGrid<256, 8> &iq2xxsGrid(); // coordinates 8, 25, 43
const IqGrid<512, 8> &iq2xsGrid();
const IqGrid<1024, 8> &iq2sGrid();
const IqGrid<256, 4> &iq3xxsGrid(); // 4, 12, … 52, 62
const IqGrid<512, 4> &iq3sGrid();   // 1, 3, … 15
const IqGrid<2048, 8> &iq1Grid();   // -1, 0, 1

} // namespace moire

#endif
