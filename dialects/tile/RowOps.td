//===- RowOps.td - Kernels on one row (token) at a time ---------------------------------------------===//

def Tile_EmbedOp : Tile_Kernel<"embed"> {
  let summary = "Rows of the embedding, dequantized";
  let description = [{
    out[t] = row tokens[t] of the panels in `table`.

    ```mlir
    tile.embed rows q4_0 %ids, %table -> %x : memref<?xi32>, memref<9216xi8> -> memref<?x64xf32>
    ```

    Constraints:
    * (C1) `out` has a row for each token.
    * (C2) The width of `out` is a whole number of the format's blocks (of 32 columns, or 256).
    * (C3) `split` is `rows` or `whole`.
  }];
  let arguments = (ins Tile_Split:$split, Tile_Format:$format, Tile_Ids:$tokens,
                       Tile_Panels:$table, Tile_Rows:$out);
  let assemblyFormat = [{
    $split `` $format $tokens `,` $table `->` $out attr-dict
    `:` type($tokens) `,` type($table) `->` type($out)
  }];
}

def Tile_SelectRowsOp : Tile_Kernel<"select_rows"> {
  let summary = "out[r] = x[rows[r]]";
  let description = [{
    ```mlir
    tile.select_rows rows %x, %wanted -> %y : memref<?x96xf32>, memref<?xi32> -> memref<?x96xf32>
    ```

    Constraints:
    * (C1) `out` has a row for each of `rows`.
    * (C2) `out` is as wide as `x`.
    * (C3) `split` is `rows` or `whole`.
  }];
  let arguments = (ins Tile_Split:$split, Tile_Rows:$x, Tile_Ids:$rows, Tile_Rows:$out);
  let assemblyFormat = [{
    $split $x `,` $rows `->` $out attr-dict `:` type($x) `,` type($rows) `->` type($out)
  }];
}

def Tile_RmsNormOp : Tile_Kernel<"rms_norm"> {
  let summary = "RMS norm of each row; with three outputs, its int8 form (values, scales, sums)";
  let description = [{
    y[t, j] = x[t, j] / sqrt(mean of x[t]^2 + eps) * gain[j]. With three outputs y is rounded as
    `tile.quantize` does (and lies so, with `fours`), with `round` as `tile.round` does. With a `group` G, each run of G values is
    a row by itself (the norm of each head), and has the same gain.

    ```mlir
    tile.rms_norm rows %x, %gain -> %v, %s, %n eps 1.0e-5
      : memref<?x96xf32>, memref<96xf32> -> memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32>
    tile.rms_norm rows %x, %head_gain -> %y eps 1.0e-5 {group = 24 : i64}
      : memref<?x96xf32>, memref<32xf32> -> memref<?x96xf32>
    ```

    Constraints:
    * (C1) `gain` is at least as long as a row, or a group.
    * (C2) `outs` is one buffer [T, K] of f32 as `x`, or the three buffers of quantized rows that
      `tile.quantize` writes; with `round` it is what `tile.round` writes.
    * (C3) With three outputs the width is a multiple of 32.
    * (C4) `split` is `rows` or `whole`.
    * (C5) A group is positive, divides the width, and comes with one output, not rounded.
    * (C6) `fours` comes with three outputs.
  }];
  let arguments = (ins Tile_Split:$split, Tile_Rows:$x, Tile_Vector:$gain,
                       Variadic<AnyMemRef>:$outs, F64Attr:$eps, OptionalAttr<I64Attr>:$group,
                       UnitAttr:$round, OptionalAttr<I64Attr>:$fours);
  let assemblyFormat = [{
    $split $x `,` $gain `->` $outs `eps` $eps attr-dict `:` type($x) `,` type($gain) `->` type($outs)
  }];
}

def Tile_QuantizeOp : Tile_Kernel<"quantize"> {
  let summary = "Each row as int8 in blocks of 32, 64, 128 or 256";
  let description = [{
    `values` [T, K] i8; `scales` [T, 3, B] f32: the scale d of each of B blocks, then d times the sum of
    its values, then -8 times that. `moe.quantize_rows` says which d. `sums` i32: words of two sums of
    16 bits, times minus 512 / columns: in the low half that of the values of columns 4i and 4i + 1, in
    the high half that of 4i + 2 and 4i + 3, as instructions take them for two weights. With blocks of
    32 [T, K / 16], of the block and then of its last 16 columns; otherwise [T, B], of the block.

    A product with weights of zero z has z times the sum of the values too much. With codes of 4 bits,
    whose z is 8, the third number of a block is what its scaled integer lacks; with others, whole
    numbers times the words are what its sums begin with.

    B says how wide a block is: the least of 32, 64, 128 and 256 columns of which a row needs B, the
    last perhaps being short (K = 576 has 18, 9, 5 or 3 blocks).

    In a step of more than `fours` rows, if there is such a number, the rows 4r … 4r + 3 share their
    places: of values [column / 4][4 rows][4 columns], of scales [block][3 numbers][4 rows], of
    sums [word][4 rows]. A product reads them as one stream (codegen/cpu/RowPlace.h); the buffers have
    room for whole fours.

    ```mlir
    tile.quantize rows %x -> %v, %s, %n
      : memref<?x96xf32> -> memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32>
    tile.quantize rows %x -> %v, %s2, %n2
      : memref<?x96xf32> -> memref<?x96xi8>, memref<?x3x2xf32>, memref<?x2xi32>
    ```

    Constraints:
    * (C1) The three outputs have the shapes above for the T and K of `x`, and some width of blocks.
    * (C2) K is a multiple of 32.
    * (C3) `split` is `rows` or `whole`.
  }];
  let arguments = (ins Tile_Split:$split, Tile_Rows:$x, Tile_Int8Rows:$values, Tile_Scales:$scales,
                       Tile_Sums:$sums, OptionalAttr<I64Attr>:$fours);
  let assemblyFormat = [{
    $split $x `->` $values `,` $scales `,` $sums attr-dict
    `:` type($x) `->` type($values) `,` type($scales) `,` type($sums)
  }];
}

def Tile_RoundOp : Tile_Kernel<"round"> {
  let summary = "Each value of a row rounded to bf16";
  let description = [{
    To nearest, ties to even. `out` is [T, K] of f32 that bf16 could hold, for `vfmadd`; or, for
    `vdpbf16ps`, [T, K / 2] of i32 that hold two columns each: column 2p in the high half of word p,
    2p + 1 in the low one (which is how a pair of weights lies in a panel of `bf16_pairs`). K is then
    rounded up to whole vectors of 16; the columns behind the row are zero.

    ```mlir
    tile.round rows %x -> %y : memref<?x100xf32> -> memref<?x56xi32>
    tile.round rows %x -> %z : memref<?x100xf32> -> memref<?x100xf32>
    ```

    Constraints:
    * (C1) `out` is [T, K] of f32, or [T, K / 2] of i32 with K rounded up to a multiple of 16.
    * (C2) `split` is `rows` or `whole`.
  }];
  let arguments = (ins Tile_Split:$split, Tile_Rows:$x, AnyMemRef:$out);
  let assemblyFormat = "$split $x `->` $out attr-dict `:` type($x) `->` type($out)";
}

def Tile_RopeOp : Tile_Kernel<"rope"> {
  let summary = "Rotates pairs (i, i + R/2) of each head";
  let description = [{
    R = rotary_dims; pair i of every head of row t turns by positions[t] * frequencies[i]. The other
    dimensions of a head are copied.

    ```mlir
    tile.rope rows %q, %positions, %f -> %r {head_dim = 16 : i64, rotary_dims = 8 : i64}
      : memref<?x96xf32>, memref<?xi32>, memref<16xf32> -> memref<?x96xf32>
    ```

    Constraints:
    * (C1) `out` has the shape of `x`.
    * (C2) There is a position for each row.
    * (C3) The width is a multiple of `head_dim`, which is positive.
    * (C4) `rotary_dims` is even, positive and at most `head_dim`.
    * (C5) There is a frequency for each pair.
    * (C6) `split` is `rows` or `whole`.
  }];
  let arguments = (ins Tile_Split:$split, Tile_Rows:$x, Tile_Ids:$positions,
                       Tile_Vector:$frequencies, Tile_Rows:$out, I64Attr:$head_dim,
                       I64Attr:$rotary_dims);
  let assemblyFormat = [{
    $split $x `,` $positions `,` $frequencies `->` $out attr-dict
    `:` type($x) `,` type($positions) `,` type($frequencies) `->` type($out)
  }];
}

def Tile_GateOp : Tile_Kernel<"gate"> {
  let summary = "out = f(gate) * up";
  let description = [{
    A gate of width 1 is the same for the whole row.

    ```mlir
    tile.gate rows silu %g, %u -> %y : memref<?x100xf32>, memref<?x100xf32> -> memref<?x100xf32>
    tile.gate rows sigmoid %g1, %u -> %y : memref<?x1xf32>, memref<?x100xf32> -> memref<?x100xf32>
    ```

    Constraints:
    * (C1) `up` and `out` have one shape, and `gate` too, or one column.
    * (C2) `split` is `rows` or `whole`.
  }];
  let arguments = (ins Tile_Split:$split, Tile_Activation:$activation, Tile_Rows:$gate,
                       Tile_Rows:$up, Tile_Rows:$out);
  let assemblyFormat = [{
    $split $activation $gate `,` $up `->` $out attr-dict
    `:` type($gate) `,` type($up) `->` type($out)
  }];
}

def Tile_ScaleOp : Tile_Kernel<"scale"> {
  let summary = "out = x * factor";
  let description = [{
    ```mlir
    tile.scale rows %x by 6.0e-1 -> %y : memref<?x96xf32> -> memref<?x96xf32>
    ```

    Constraints:
    * (C1) `x` and `out` have one shape.
    * (C2) `split` is `rows` or `whole`.
  }];
  let arguments = (ins Tile_Split:$split, Tile_Rows:$x, F64Attr:$factor, Tile_Rows:$out);
  let assemblyFormat = [{
    $split $x `by` $factor `->` $out attr-dict `:` type($x) `->` type($out)
  }];
}

def Tile_AddOp : Tile_Kernel<"add"> {
  let summary = "out = lhs + rhs";
  let description = [{
    ```mlir
    tile.add rows %x, %y -> %z : memref<?x96xf32>, memref<?x96xf32> -> memref<?x96xf32>
    ```

    Constraints:
    * (C1) `lhs`, `rhs` and `out` have one shape.
    * (C2) `split` is `rows` or `whole`.
  }];
  let arguments = (ins Tile_Split:$split, Tile_Rows:$lhs, Tile_Rows:$rhs, Tile_Rows:$out);
  let assemblyFormat = [{
    $split $lhs `,` $rhs `->` $out attr-dict `:` type($lhs) `,` type($rhs) `->` type($out)
  }];
}

def Tile_CopyOp : Tile_Kernel<"copy"> {
  let summary = "out = x; with an index, out[index]";
  let description = [{
    ```mlir
    tile.copy rows %x -> %taps[%layer] : memref<?x96xf32> -> memref<?x?x96xf32>
    ```

    Constraints:
    * (C1) `out` has the shape of `x`, behind one more dimension if there is an index.
    * (C2) `split` is `rows` or `whole`.
  }];
  let arguments = (ins Tile_Split:$split, Tile_Rows:$x, MemRefRankOf<[F32], [2, 3]>:$out,
                       Optional<Index>:$index);
  let assemblyFormat = [{
    $split $x `->` $out (`[` $index^ `]`)? attr-dict `:` type($x) `->` type($out)
  }];
}
