package facturx

// The elements of a Cross Industry Invoice (UN/CEFACT D22B) that we write, in
// the order of its schema.

const (
	nsRSM = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
	nsRAM = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
	nsUDT = "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"
	nsQDT = "urn:un:unece:uncefact:data:standard:QualifiedDataType:100"
)

type invoice struct {
	XMLName struct{} `xml:"rsm:CrossIndustryInvoice"`
	RSM     string   `xml:"xmlns:rsm,attr"`
	RAM     string   `xml:"xmlns:ram,attr"`
	UDT     string   `xml:"xmlns:udt,attr"`
	QDT     string   `xml:"xmlns:qdt,attr"`
	Context struct {
		Process   *id `xml:"ram:BusinessProcessSpecifiedDocumentContextParameter"`
		Guideline id  `xml:"ram:GuidelineSpecifiedDocumentContextParameter"`
	} `xml:"rsm:ExchangedDocumentContext"`
	Document    document    `xml:"rsm:ExchangedDocument"`
	Transaction transaction `xml:"rsm:SupplyChainTradeTransaction"`
}

type (
	id struct {
		ID string `xml:"ram:ID"`
	}
	id1 struct {
		ID string `xml:"ram:LineID"`
	}
	assigned struct {
		ID string `xml:"ram:IssuerAssignedID"`
	}
	schemed struct {
		Scheme string `xml:"schemeID,attr"`
		Value  string `xml:",chardata"`
	}
	measured struct {
		Unit  string `xml:"unitCode,attr"`
		Value string `xml:",chardata"`
	}
	inCurrency struct {
		Currency string `xml:"currencyID,attr"`
		Value    string `xml:",chardata"`
	}
	dateString struct {
		Format string `xml:"format,attr"`
		Value  string `xml:",chardata"`
	}
	dateTime struct {
		String dateString `xml:"udt:DateTimeString"`
	}
	formatted struct {
		String dateString `xml:"qdt:DateTimeString"`
	}
)

type document struct {
	ID     string   `xml:"ram:ID"`
	Type   string   `xml:"ram:TypeCode"`
	Issued dateTime `xml:"ram:IssueDateTime"`
	Notes  []note   `xml:"ram:IncludedNote"`
}

type note struct {
	Content string `xml:"ram:Content"`
	Subject string `xml:"ram:SubjectCode,omitempty"`
}

type transaction struct {
	Lines     []line `xml:"ram:IncludedSupplyChainTradeLineItem"`
	Agreement struct {
		Seller   party     `xml:"ram:SellerTradeParty"`
		Buyer    party     `xml:"ram:BuyerTradeParty"`
		Contract *assigned `xml:"ram:ContractReferencedDocument"`
	} `xml:"ram:ApplicableHeaderTradeAgreement"`
	Delivery struct {
		ShipTo *shipTo `xml:"ram:ShipToTradeParty"`
	} `xml:"ram:ApplicableHeaderTradeDelivery"`
	Settlement settlement `xml:"ram:ApplicableHeaderTradeSettlement"`
}

type line struct {
	ID        id1     `xml:"ram:AssociatedDocumentLineDocument"`
	Product   product `xml:"ram:SpecifiedTradeProduct"`
	Agreement struct {
		Price struct {
			Amount string    `xml:"ram:ChargeAmount"`
			Basis  *measured `xml:"ram:BasisQuantity"`
		} `xml:"ram:NetPriceProductTradePrice"`
	} `xml:"ram:SpecifiedLineTradeAgreement"`
	Delivery struct {
		Quantity measured `xml:"ram:BilledQuantity"`
	} `xml:"ram:SpecifiedLineTradeDelivery"`
	Settlement struct {
		Tax    lineTax `xml:"ram:ApplicableTradeTax"`
		Totals struct {
			Amount string `xml:"ram:LineTotalAmount"`
		} `xml:"ram:SpecifiedTradeSettlementLineMonetarySummation"`
	} `xml:"ram:SpecifiedLineTradeSettlement"`
}

type product struct {
	Name string `xml:"ram:Name"`
}

type lineTax struct {
	Type     string `xml:"ram:TypeCode"`
	Category string `xml:"ram:CategoryCode"`
	Rate     string `xml:"ram:RateApplicablePercent"`
}

type party struct {
	Global     *schemed  `xml:"ram:GlobalID"`
	Name       string    `xml:"ram:Name"`
	Legal      *legal    `xml:"ram:SpecifiedLegalOrganization"`
	Contact    *contact  `xml:"ram:DefinedTradeContact"`
	Address    address   `xml:"ram:PostalTradeAddress"`
	Electronic *uri      `xml:"ram:URIUniversalCommunication"`
	Tax        *uriOrTax `xml:"ram:SpecifiedTaxRegistration"`
}

type (
	legal struct {
		ID schemed `xml:"ram:ID"`
	}
	uriOrTax struct {
		ID schemed `xml:"ram:ID"`
	}
	uri struct {
		ID schemed `xml:"ram:URIID"`
	}
	plainURI struct {
		ID string `xml:"ram:URIID"`
	}
	number struct {
		Complete string `xml:"ram:CompleteNumber"`
	}
	contact struct {
		Department string    `xml:"ram:DepartmentName"`
		Telephone  *number   `xml:"ram:TelephoneUniversalCommunication"`
		Email      *plainURI `xml:"ram:EmailURIUniversalCommunication"`
	}
	address struct {
		Postcode string `xml:"ram:PostcodeCode,omitempty"`
		One      string `xml:"ram:LineOne,omitempty"`
		Two      string `xml:"ram:LineTwo,omitempty"`
		City     string `xml:"ram:CityName,omitempty"`
		Country  string `xml:"ram:CountryID"`
	}
	shipTo struct {
		Address address `xml:"ram:PostalTradeAddress"`
	}
)

type settlement struct {
	Reference string      `xml:"ram:PaymentReference"`
	Currency  string      `xml:"ram:InvoiceCurrencyCode"`
	Means     *means      `xml:"ram:SpecifiedTradeSettlementPaymentMeans"`
	Taxes     []headerTax `xml:"ram:ApplicableTradeTax"`
	Period    *period     `xml:"ram:BillingSpecifiedPeriod"`
	Terms     *terms      `xml:"ram:SpecifiedTradePaymentTerms"`
	Totals    totals      `xml:"ram:SpecifiedTradeSettlementHeaderMonetarySummation"`
	Corrects  *preceding  `xml:"ram:InvoiceReferencedDocument"`
}

type (
	account struct {
		IBAN string `xml:"ram:IBANID"`
	}
	bank struct {
		BIC string `xml:"ram:BICID"`
	}
	means struct {
		Type    string   `xml:"ram:TypeCode"`
		Account *account `xml:"ram:PayeePartyCreditorFinancialAccount"`
		Bank    *bank    `xml:"ram:PayeeSpecifiedCreditorFinancialInstitution"`
	}
	headerTax struct {
		Amount   string `xml:"ram:CalculatedAmount"`
		Type     string `xml:"ram:TypeCode"`
		Reason   string `xml:"ram:ExemptionReason,omitempty"`
		Base     string `xml:"ram:BasisAmount"`
		Category string `xml:"ram:CategoryCode"`
		Rate     string `xml:"ram:RateApplicablePercent"`
	}
	period struct {
		Start dateTime `xml:"ram:StartDateTime"`
		End   dateTime `xml:"ram:EndDateTime"`
	}
	terms struct {
		Description string    `xml:"ram:Description,omitempty"`
		Due         *dateTime `xml:"ram:DueDateDateTime"`
	}
	totals struct {
		Lines string     `xml:"ram:LineTotalAmount"`
		Base  string     `xml:"ram:TaxBasisTotalAmount"`
		Tax   inCurrency `xml:"ram:TaxTotalAmount"`
		Total string     `xml:"ram:GrandTotalAmount"`
		Due   string     `xml:"ram:DuePayableAmount"`
	}
	preceding struct {
		ID     string    `xml:"ram:IssuerAssignedID"`
		Issued formatted `xml:"ram:FormattedIssueDateTime"`
	}
)
