//! The care of terminals (39 to 48): what is not offered is answered so. Whoever offers one of
//! these gives its line another code here, and its reason in the section's table goes.

scripts! {
    care_of_terminals_that_is_not_offered: "
        39 parameters      2 cold        | 40
        39 parameters-end  2 cold        | 40
        40 status          2 cold        | 40
        41 ca-query        2 cold        | 40
        41 ca              2 cold        | 40
        41 ca-end          2 cold        | 40
        41 ca-sm2          2 cold        | 40
        42 ic-query        2 cold        | 40
        42 ic              2 cold        | 40
        42 ic-end          2 cold        | 40
        43 blacklist       2 cold        | 40
        43 blacklist-end   2 cold        | 40
        44 contactless     2 cold        | 40
        44 contactless-end 2 cold        | 40
        44 bins            2 cold        | 40
        44 bins-end        2 cold        | 40
        44 bins-b          2 cold        | 40
        44 bins-b-end      2 cold        | 40
        45 points-sign-on  2 cold        | 40
        46 signature       2 cold        | 40
        47 rates           2 cold        | 40
        48 tmk             2 cold        | 40
        48 tmk-load        2 cold        | 40
        48 tmk-use         2 cold        | 40
    ";
}
