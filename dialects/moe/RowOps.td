//===- RowOps.td - Operations on one row (token) at a time ----------------------------------------===//

def Moe_EmbedOp : Moe_Op<"embed"> {
  let summary = "Looks up the embedding of each token";
  let description = [{
    result[t, :] = table[tokens[t], :], widened to f32.

    ```mlir
    %x = moe.embed %tokens, %table : tensor<?xi32>, tensor<300x96xbf16> -> tensor<?x96xf32>
    ```

    Constraints:
    * (C1) The result has as many rows as there are tokens.
    * (C2) The result is as wide as the table.
  }];
  let arguments = (ins Moe_Ids:$tokens, Moe_Matrix:$table);
  let results = (outs Moe_PlainRows:$result);
  let assemblyFormat = [{
    $tokens `,` $table attr-dict `:` type($tokens) `,` type($table) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Moe_SelectRowsOp : Moe_Op<"select_rows"> {
  let summary = "The rows whose logits are wanted";
  let description = [{
    result[r, :] = x[rows[r], :].

    ```mlir
    %last = moe.select_rows %x, %rows : tensor<?x96xf32>, tensor<?xi32> -> tensor<?x96xf32>
    ```

    Constraints:
    * (C1) The result has as many rows as `rows`.
    * (C2) The result is as wide as `x` and encoded as `x` is.
  }];
  let arguments = (ins Moe_Rows:$x, Moe_Ids:$rows);
  let results = (outs Moe_Rows:$result);
  let assemblyFormat = [{
    $x `,` $rows attr-dict `:` type($x) `,` type($rows) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Moe_RmsNormOp : Moe_Op<"rms_norm"> {
  let summary = "Root mean square norm with a gain";
  let description = [{
    result[t, j] = gain[j] * (x[t, j] * rsqrt(mean(x[t, :]^2) + eps)) (Zhang and Sennrich 2019).

    A gain shorter than a row divides it into runs, one behind the other, and each run is normed by
    itself with that gain: the norm of queries and keys of each head.

    The result may be encoded: then each row is rounded to that storage on the way out, as
    `moe.quantize_rows` does (`fuse-norm-quantize` makes that form).

    ```mlir
    %h = moe.rms_norm %x, %gain eps 1.0e-5 : tensor<?x96xf32>, tensor<96xf32> -> tensor<?x96xf32>
    %q = moe.rms_norm %x, %head eps 1.0e-6 : tensor<?x96xf32>, tensor<16xf32> -> tensor<?x96xf32>
    ```

    Constraints:
    * (C1) The length of the gain divides the width of `x`.
    * (C2) The result has the shape of `x`.
    * (C3) `eps` is not negative.
    * (C4) The encoding of the result, if any, is one for activations; if it has blocks, the width is a
      multiple of 32.
  }];
  let arguments = (ins Moe_Rows:$x, Moe_Vector:$gain, F64Attr:$eps);
  let results = (outs Moe_Rows:$result);
  let assemblyFormat = [{
    $x `,` $gain `eps` $eps attr-dict `:` type($x) `,` type($gain) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Moe_ScaleOp : Moe_Op<"scale", [AllTypesMatch<["x", "result"]>]> {
  let summary = "Rows times a constant";
  let description = [{
    result = x * factor, element by element, `factor` rounded to f32.

    ```mlir
    %y = moe.scale %x by 6.0e-1 : tensor<?x96xf32>
    ```

    Constraints:
    * (C1) `factor` is finite as a f32.
  }];
  let arguments = (ins Moe_PlainRows:$x, F64Attr:$factor);
  let results = (outs Moe_PlainRows:$result);
  let assemblyFormat = "$x `by` $factor attr-dict `:` type($x)";
  let hasVerifier = 1;
}

def Moe_QuantizeRowsOp : Moe_Op<"quantize_rows"> {
  let summary = "Rounds each row to a format for activations";
  let description = [{
    To `#moe.rows<bf16>`: each value becomes the nearest bf16, of two equally near ones the one whose
    last bit is 0. Products of such rows with bf16 weights need no more than 16 bits of either.

    To `#moe.block<int8>`: for each block of 32 values of a row (of 64, 128 or 256 with
    `#moe.block<int8, 64>` and so on; the last block of a row may be short), with m = max |x|, the
    scales d = m / 127, m / 126, m / 125 and m / 124 are tried: q = round to nearest, ties to even, of x * (1 / d) (0 where m is 0); the
    value becomes d * q. The scale with the smallest sum of squared errors is taken, the first of
    equal ones. (Each rounds the same values in another way: the best of four has a sixth less error
    than the first.)

    ```mlir
    %q = moe.quantize_rows %x : tensor<?x96xf32> -> tensor<?x96xf32, #moe.block<int8>>
    %w = moe.quantize_rows %x : tensor<?x96xf32> -> tensor<?x96xf32, #moe.block<int8, 64>>
    %r = moe.quantize_rows %x : tensor<?x96xf32> -> tensor<?x96xf32, #moe.rows<bf16>>
    ```

    Constraints:
    * (C1) The result has the shape of `x`; `x` has no encoding.
    * (C2) The encoding of the result is one for activations.
    * (C3) If the encoding has blocks, the width is a multiple of 32.
  }];
  let arguments = (ins Moe_Rows:$x);
  let results = (outs Moe_Rows:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
}

def Moe_RopeOp : Moe_Op<"rope", [AllTypesMatch<["x", "result"]>]> {
  let summary = "Rotary position embedding, rotate-half form";
  let description = [{
    `x` holds heads of `head_dim` values side by side. In each head the first `rotary_dims` = R values
    are rotated in pairs (i, i + R/2), i < R/2, by the angle position * f[i] with
    f[i] = base^(-2i/R) (Su et al. 2021), changed by `scaling`; the other values stay.

    ```mlir
    %r = moe.rope %q at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64}
      : tensor<?x96xf32>, tensor<?xi32>
    ```

    Constraints:
    * (C1) `head_dim` divides the width of `x`.
    * (C2) `rotary_dims` is even, positive and at most `head_dim`.
    * (C3) There are as many positions as rows.
    * (C4) `base` is positive.
    * (C5) `scaling` is a `#moe.linear_scaling` or a `#moe.llama3_scaling`, its factors positive.
  }];
  let arguments = (ins Moe_PlainRows:$x, Moe_Ids:$positions, I64Attr:$head_dim, I64Attr:$rotary_dims,
                       F64Attr:$base, OptionalAttr<AnyAttr>:$scaling);
  let results = (outs Moe_PlainRows:$result);
  let assemblyFormat = "$x `at` $positions attr-dict `:` type($x) `,` type($positions)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The frequencies f[0 .. rotary_dims/2), computed as the reference implementations do: base and
    /// exponent in f32, the rest rounded to f32.
    ::llvm::SmallVector<float> getFrequencies();
  }];
}
