"""Invented people's names as they are written in Tunisia, in both scripts: no one real (ORD-6)."""

GIVEN = """
Mohamed محمد|Mohammed محمد|Mouhamed محمّد|Ahmed أحمد|Ahmad احمد|Ali علي|Aly علي|Hédi الهادي|El Hédi الهادي
Elhedi الهادي|Habib الحبيب|Salah صلاح|Salah صالح|Saleh صالح|Slim سليم|Selim سليم|Salem سالم|Sami سامي|Samir سمير
Nizar نزار|Moez معز|Moëz المعز|Mouadh معاذ|Moadh معاذ|Walid وليد|Oualid وليد|Wael وائل|Ouael وائل|Wissem وسام
Youssef يوسف|Yousef يوسف|Yassine ياسين|Yacine ياسين|Yassin ياسين|Yahia يحيى|Yahya يحيى|Younes يونس|Zied زياد
Ziad زياد|Zouheir زهير|Zouhaier زهير|Ridha رضا|Réda رضا|Rafik رفيق|Raouf رؤوف|Rached راشد|Rachid رشيد|Ramzi رمزي
Riadh رياض|Sofiane سفيان|Soufien سفيان|Souheil سهيل|Tarek طارق|Taieb الطيب|Tahar الطاهر|Taher طاهر|Taoufik توفيق
Thameur ثامر|Adel عادل|Adnene عدنان|Aymen أيمن|Ayoub أيوب|Aziz عزيز|Amine أمين|Lamine الأمين|Amor عمر|Omar عمر
Anis أنيس|Anouar أنور|Anwar أنور|Bilel بلال|Bechir البشير|Béchir بشير|Chaker شاكر|Chedly الشاذلي|Chokri شكري
Fathi فتحي|Fethi فتحي|Faouzi فوزي|Fawzi فوزي|Fadhel فاضل|Farouk فاروق|Fares فارس|Ghazi غازي|Hafedh حافظ
Haithem هيثم|Hamadi حمادي|Hamza حمزة|Hassen حسن|Hassan حسان|Hatem حاتم|Hichem هشام|Hisham هشام|Houcine حسين
Hussein حسين|Ibrahim إبراهيم|Brahim إبراهيم|Iheb إيهاب|Ilyes إلياس|Elyes الياس|Imed عماد|Imad عماد|Ismail إسماعيل
Jamel جمال|Jalel جلال|Jaouhar جوهر|Jilani الجيلاني|Kacem قاسم|Kais قيس|Kamel كمال|Karim كريم|Khaled خالد
Khalil خليل|Lassaad الأسعد|Lassad لسعد|Lotfi لطفي|Lazhar الأزهر|Maher ماهر|Mahmoud محمود|Malek مالك|Marouane مروان
Marwen مروان|Mehdi مهدي|Mahdi المهدي|Mokhtar المختار|Moncef المنصف|Mondher المنذر|Mongi المنجي|Mourad مراد
Mounir منير|Moustapha مصطفى|Mustapha مصطفى|Nabil نبيل|Nader نادر|Naceur الناصر|Nejib نجيب|Néji الناجي|Noômane نعمان
Noureddine نور الدين|Nour Eddine نورالدين|Ezzeddine عز الدين|Seifeddine سيف الدين|Seif Eddine سيف الدين
Salaheddine صلاح الدين|Mohieddine محي الدين|Abdelkarim عبد الكريم|Abdelkrim عبدالكريم|Abdallah عبد الله
Abdellah عبدالله|Abderrahmane عبد الرحمان|Abderrahman عبد الرحمن|Abdelaziz عبد العزيز|Abdelkader عبد القادر
Abdessalem عبد السلام|Abdelhamid عبد الحميد|Abdelwaheb عبد الوهاب|Abdeljelil عبد الجليل|Abdennaceur عبد الناصر
Abdellatif عبد اللطيف|Abdelmajid عبد المجيد|Abdelmonem عبد المنعم|Oussama أسامة|Othman عثمان|Ons أنس
Mohamed Ali محمد علي|Mohamed Amine محمد الأمين|Mohamed Aziz محمد عزيز|Med Ali محمد علي|Mohamed Salah محمد الصالح
Aïcha عائشة|Amel أمل|Amal آمال|Amina أمينة|Amira أميرة|Asma أسماء|Awatef عواطف|Balkis بلقيس|Basma بسمة|Besma بسمة
Chaïma شيماء|Dalila دليلة|Dorra درة|Dhouha ضحى|Emna آمنة|Amna آمنة|Eya آية|Aya آية|Fadoua فدوى|Faten فاتن
Fatma فاطمة|Fatima فاطمة|Ghada غادة|Ghofrane غفران|Hajer هاجر|Hanen حنان|Hanène حنان|Hayet حياة|Hela هالة
Henda هندة|Hiba هبة|Houda هدى|Ikram إكرام|Imen إيمان|Imène إيمان|Ines إيناس|Jihène جيهان|Jouda جودة|Kaouther كوثر
Khadija خديجة|Khaoula خولة|Khouloud خلود|Lamia لمياء|Latifa لطيفة|Leïla ليلى|Lobna لبنى|Maha مها|Manel منال
Mariem مريم|Meriem مريم|Maryam مريم|Myriam مريم|Mouna منى|Monia منية|Mouna مُنى|Nadia نادية|Najla نجلاء|Najoua نجوى
Nesrine نسرين|Nour El Houda نور الهدى|Nourhène نورهان|Olfa ألفة|Rabiaa ربيعة|Radhia راضية|Rahma رحمة|Raja رجاء
Rania رانية|Raoudha روضة|Rim ريم|Rym ريم|Saida سعيدة|Salma سلمى|Selma سلمى|Saloua سلوى|Samia سامية|Sana سناء
Sarra سارة|Sirine سيرين|Sonia سنية|Souad سعاد|Syrine سيرين|Wafa وفاء|Wided وداد|Yosra يسرى|Yousra يسرى|Zeineb زينب
Zohra زهرة|Zaineb زينب|Zina زينة
"""
FAMILY = """
Trabelsi الطرابلسي|Abidi العبيدي|Laabidi العبيدي|Ayari العياري|Ben Ali بن علي|Benali بن علي|Ben Ali بنعلي
Bin Ali بن علي|Ben Ammar بن عمار|Ben Amor بن عمر|Ben Othman بن عثمان|Ben Romdhane بن رمضان|Ben Youssef بن يوسف
Ben Salem بن سالم|Bensalem بن سالم|Ben Salah بن صالح|Ben Abdallah بن عبد الله|Ben Cheikh بن الشيخ|Ben Hassine بن حسين
Ben Hamouda بن حمودة|Ben Khalifa بن خليفة|Ben Mahmoud بن محمود|Ben Miled بن ميلاد|Ben Nasr بن نصر|Belhadj بلحاج
Belhaj بالحاج|Bel Haj بلحاج|Ben El Haj بن الحاج|Belgacem بلقاسم|Bouzid بوزيد|Bou Zid بوزيد|Bouazizi البوعزيزي
Bouslama بوسلامة|Boukadida بوقديدة|Bouraoui البوراوي|Baccouche البكوش|Chaabane شعبان|Chebbi الشابي|Cherif الشريف
Chaieb الشايب|Dridi الدريدي|Ferchichi الفرشيشي|Gharbi الغربي|Ghannouchi الغنوشي|Guesmi القاسمي|Gafsi القفصي
Hamdi الحمدي|Hammami الهمامي|Haddad الحداد|Jaziri الجزيري|Jebali الجبالي|Jaouadi الجوادي|Jlassi الجلاصي
Kallel القلال|Karoui القروي|Khelifi الخليفي|Khlifi الخليفي|Ksouri القصوري|Louati اللواتي|Mabrouk مبروك
Mahjoub المحجوب|Maaloul معلول|Mansouri المنصوري|Mejri الماجري|Mnif المنيف|Mestiri المستيري|Nasri النصري
Ouerghi الورغي|Oueslati الوسلاتي|Weslati الوسلاتي|Rezgui الرزقي|Riahi الرياحي|Saidi السعيدي|Sassi الساسي
Sellami السلامي|Sfar صفر|Sghaier الصغير|Slimani السليماني|Tlili التليلي|Toumi التومي|Tounsi التونسي|Ettounsi التونسي
Yaacoubi اليعقوبي|Zaghdoudi الزغدودي|Zouari الزواري|Zribi الزريبي|Zghal الزغل|Essid السيد|M'hamdi المحمدي|Mhiri المهيري
"""
FOREIGN = """
Jean-Pierre Dupont جان بيار دوبون|Marie Laurent ماري لوران|Claude Bernard كلود برنار|Michel Durand ميشال دوران
François Lambert فرانسوا لامبار|Jacques Martin جاك مارتان|Charlotte Morel شارلوت موريل|Marco Rossi ماركو روسي
Giuseppe Conti جوزيبي كونتي|Thomas Schmidt توماس شميت|Anna Weber آنا فيبر|John Smith جون سميث|Michael Brown مايكل براون
David Miller دافيد ميلر|Peter Novak بيتر نوفاك|Carlos Garcia كارلوس غارسيا|Maria Lopez ماريا لوبيز
Murat Yilmaz مراد يلماز|Sergio Bianchi سيرجيو بيانكي|Pauline Moreau بولين مورو|Philippe Simon فيليب سيمون
"""
WHOLE = """
Mohamed Ben Ali Trabelsi|محمد بن علي الطرابلسي
Trabelsi Mohamed|محمد الطرابلسي
Nour El Houda Ben Romdhane|نور الهدى بن رمضان
BEN SALEM Fatma Zahra|فاطمة الزهراء بن سالم
Fatma Ezzahra Ben Salem|فاطمة الزهراء بن سالم
Abdelkarim Bel Haj|عبد الكريم بالحاج
Slim Ben Haj Salem|سليم بن حاج سالم
"""


def _pairs(table: str) -> list[tuple[str, str]]:
    found = []
    for entry in table.replace("\n", "|").split("|"):
        words = entry.split()
        latin = [word for word in words if not any("\u0600" <= letter <= "\u06ff" for letter in word)]
        if words:
            found.append((" ".join(latin), " ".join(words[len(latin) :])))
    return found


GIVEN_PAIRS = _pairs(GIVEN)
FAMILY_PAIRS = _pairs(FAMILY)
FOREIGN_PAIRS = _pairs(FOREIGN)
WHOLE_PAIRS = [tuple(line.split("|")) for line in WHOLE.split("\n") if line]
"""(Latin, Arabic) names of one person each."""

MISMATCHED = """
Ali علياء|Sami سمير|Nadia نادين|Karim كريمة|Karima كريم|Amina أمين|Jamel جميل|Moncef منير|Samia سميحة|Salma سليمة
Habib حبيبة|Nabil نبيلة|Hassen حسين|Mohamed أحمد|Mohamed محمود|Ahmed محمد|Khaled وليد|Fathi فوزي|Hedi مهدي|Mehdi حمدي
Rim مريم|Mariem ريم|Amel منال|Leïla علي|Sonia سامية|Nizar نادر|Zied زهير|Tarek توفيق|Moez منذر|Wafa وفيق|Raja رجب
Ines ياسين|Anis أسماء|Hatem هاجر|Hichem هيثم|Bilel بشير|Chokri شاكر|Faouzi فتحي|Lotfi لطيفة|Maher منير|Nejib نبيل
Ramzi رضا|Rafik رؤوف|Riadh رفيق|Slim سالمة|Slim سامي|Yassine يوسف|Youssef يونس|Omar عمار الدين|Adel عادلة|Imed محمد
Olfa أمل|Emna منال|Dorra دليلة|Hajer هالة|Houda هدية|Imen أميرة|Khadija خلود|Lamia ليلى|Lobna ليلى|Najla نجوى
Trabelsi التونسي|Trabelsi الطرابلسية|Ben Ali بن علية|Ben Ali بن عمار|Ben Ammar بن علي|Ben Salem بن سليمان
Ben Youssef بن يونس|Bouzid بوعزيزي|Bouzid بوسلامة|Belhaj بلقاسم|Chebbi الشريف|Dridi الزريبي|Gharbi الغنوشي
Guesmi الحمدي|Hamdi الحمامي|Hammami الحداد|Jaziri الجبالي|Jebali الجلاصي|Karoui القلال|Khelifi الشريفي|Mabrouk المبارك
Mansouri الناصري|Mejri المنصوري|Nasri النصراوي|Oueslati الوسلات|Riahi الرزقي|Saidi الساسي|Sassi السعيدي|Sfar الصغير
Slimani السلامي|Tlili التومي|Toumi التونسي|Zouari الزواوي|Zribi الزغل|Zaghdoudi الزواري|Abidi العياري|Ayari العبيدي
Mohamed Trabelsi أحمد الطرابلسي|Mohamed Trabelsi محمد التونسي|Fatma Ben Salem فاطمة بن سليمان
Fatma Ben Salem فاتن بن سالم|Ali Gharbi علي الغنوشي|Ali Gharbi علياء الغربي|Sami Dridi سمير الدريدي
Sami Dridi سامي الزريبي|Nour El Houda Karoui نور الدين القروي|Leïla Toumi ليلى التليلي|Slim Mnif سليم المنصوري
Jean-Pierre Dupont جان بول دوبون|Marco Rossi ماركو بيانكي|John Smith جيمس سميث|Anna Weber إيما فيبر
"""
MISMATCHED_PAIRS = _pairs(MISMATCHED)
"""(Latin, Arabic) names of two people."""
