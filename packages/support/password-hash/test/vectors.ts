// Made with glibc crypt(3), mosquitto_passwd 2.0.11 and Python hashlib (passlib string format); the first is of the
// specification of SHA-512 crypt.
export const VECTORS: readonly { readonly kind: string; readonly password: string; readonly hash: string }[] = [
  {
    kind: "sha512-crypt",
    password: "Hello world!",
    hash: "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
  },
  {
    kind: "sha512-crypt",
    password: "",
    hash: "$6$saltstring$kyGrqt6gmjAdtFLPrflEFifSYLCWWq1pyx95SvqinLDy2UHmj0sTF0MSLMwxPFZc3tu5kQckI8fks0zOPda3n1",
  },
  {
    kind: "sha512-crypt",
    password:
      "pässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwort",
    hash: "$6$saltstring$1dRBJuBCOn9ROPApLiOJJLbNJRqnADfJzg9BKFJG4oBmozE7CyfFNg7VCZszuLTR7UrHIUo2bzD1IcviH1mi80",
  },
  {
    kind: "sha512-crypt",
    password: "Hello world!",
    hash: "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
  },
  {
    kind: "sha512-crypt",
    password: "",
    hash: "$6$rounds=10000$saltstringsaltst$xuc/3ZHb0zTCjdaS/H9sWqIHQqdGImHveIs4HIMg.5dfNJpOYBI200IN9l6olHiR8.YI/P/Xe1hnfHOMI36.m0",
  },
  {
    kind: "sha512-crypt",
    password:
      "pässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwort",
    hash: "$6$rounds=10000$saltstringsaltst$W.LxC3UYMcoYkuAwsRNOr/SKecOTx1u2OJK4UIhqDcw2u6HKozZ57ak3d9m6ki6kHDO/jtzUQ5xHcxVXj9UjG/",
  },
  {
    kind: "sha512-crypt",
    password: "Hello world!",
    hash: "$6$rounds=1400$anotherlongsalts$5FGyu8c4BZDX4wJgs0Un26YOw2XibT5eTkHF1I1aP3QqStoJI9BHD2YPJYsAjEePVGUyBjdZxcNqMWlrrbIOC.",
  },
  {
    kind: "sha512-crypt",
    password: "",
    hash: "$6$rounds=1400$anotherlongsalts$CvyNSQwf6bQerEu9N9SQOWtPnrIu1XZzaKZQpGKfoQ/SaumCMqHGCEvfGxtQ5xG2Au23d5sGapl8LQH64hLtn/",
  },
  {
    kind: "sha512-crypt",
    password:
      "pässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwort",
    hash: "$6$rounds=1400$anotherlongsalts$E1VMy2I1K38xK6n5H2TKm/zHNwcVJkE5wnQudQQnPahFuFQlDW4PEq7q/oQfUpIOB.RUYjzOQWgZBYA5CLPOa/",
  },
  {
    kind: "sha512-crypt",
    password: "Hello world!",
    hash: "$6$$.SKR9BCFmNlzTpsFbxLHKPVAMUdqxN8.85WISsmC.fRIPfZ78cePl/wQJcKzjcsDe8rRtdaVxJHS/E1LzWy3./",
  },
  {
    kind: "sha512-crypt",
    password: "",
    hash: "$6$$/chiBau24cE26QQVW3IfIe68Xu5.JQ4E8Ie7lcRLwqxO5cxGuBhqF2HmTL.zWJ9zjChg3yJYFXeGBQ2y3Ba1d1",
  },
  {
    kind: "sha512-crypt",
    password:
      "pässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwortpässwort",
    hash: "$6$$NZjf7iaL9uTMQP/VuqN0lLsVELaTNABiW5rOX66/hHDCQkiRN3nTsnwYtCGJMVEHP9T9ZxYyW80DQtQaNT7bu.",
  },
  {
    kind: "mosquitto-sha512",
    password: "pässword",
    hash: "$6$iLuA9X4ZS9fp30c0$xKO16dyNj8nC+5EP3DARJ8URC5mH3gRBzLACvF8UCsnLEmcV7iwIRmgluEP+laNtLHhs2MiS8CtPQrH0B11U/Q==",
  },
  {
    kind: "mosquitto-pbkdf2",
    password: "pässword",
    hash: "$7$101$ptdiXBfARFfp/gRt$1Ee9hIFStXMyP3WXvQiHmbo7kTsb8YiKLfFTekuaGn+SRofm2msbAFCUVqy0ccRKwWmmBvt6fiHBGk42FPhC0g==",
  },
  {
    kind: "argon2",
    password: "test",
    hash: "$argon2id$v=19$m=1024,t=1,p=1$UdgfCsjIG+NmoAm1ZYI8Vg$4iVMO2eBrhb47kffNDiK3g",
  },
  {
    kind: "argon2",
    password: "test",
    hash: "$argon2id$v=19$m=1024,t=1,p=1$UdgfCsjIG+NmoAm1ZYI8Vg==$4iVMO2eBrhb47kffNDiK3g==",
  },
  { kind: "bcrypt", password: "x", hash: "$2b$04$7.M8ydvkqIlp4pcQlu7Je.0lYMnxgEcmBhz0srHZmPagO9weFjLba" },
  {
    kind: "passlib-pbkdf2-sha256",
    password: "secret",
    hash: "$pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw$Tvsru20utY6o3q7VRBeuL9h/1QqKhWhwk2PaYNRWBgY",
  },
  {
    kind: "passlib-scrypt",
    password: "secret",
    hash: "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$Mdc/jTCPy+uU8aSLbM+FGBQC/AXSzfWCsAUkF/VYCgk",
  },
];
